import { Domain } from "@web/core/domain";
import { getFieldsSpec } from "@web/model/relational_model/utils";

/** The records that a board or a list has loaded, with the group of each, by id. */
function loadedRecords(root) {
    const lists = root.isGrouped
        ? root.groups.filter((group) => !group.isFolded)
        : [{ list: root }];
    const loaded = new Map();
    for (const group of lists) {
        for (const record of group.list.records || []) {
            loaded.set(record.resId, { record, group });
        }
    }
    return loaded;
}

/** The value by which a row falls into a group. */
function groupValue(row, fieldName) {
    const value = row[fieldName];
    return value && typeof value === "object" ? value.id : value;
}

/** Whether a row stands after all that a column has loaded: nothing to show there. */
function isBeyond({ list, count }, row) {
    const last = list.records.at(-1);
    if (!last || list.records.length >= count || list.orderBy.length) {
        return false;
    }
    // The order of the model: urgent ones first, then the youngest.
    const [mine, its] = [Number(row.priority), Number(last.data.priority)];
    return mine === its ? row.id < last.resId : mine < its;
}

/** How many records each group holds, folded ones and not loaded ones included. */
async function readCounts(root, orm) {
    const name = root.groupByField.name;
    const counted = await orm.formattedReadGroup(
        root.resModel,
        root.domain,
        root.groupBy,
        ["__count"],
        { context: root.context }
    );
    const counts = new Map(
        counted.map((each) => [each[name] ? each[name][0] : false, each.__count])
    );
    return root.groups.map((group) => [group, counts.get(group.serverValue) || 0]);
}

/** What a column holds now; it goes on to show what it did. */
async function readList(list) {
    let read;
    const commit = (data) => {
        read = data;
    };
    await list.model._updateConfig(list.config, {}, { commit });
    return [list, read];
}

/** Whether all that is needed to put a row into its column is there. */
function canSort(root) {
    const [groupBy, ...more] = root.groupBy;
    return (
        !more.length &&
        root.groupByField.type === "many2one" &&
        groupBy in root.activeFields
    );
}

/** Whether a board or a list can follow only by being loaded as a whole. */
export function mustLoadAll({ root, useSampleModel }, ids) {
    return useSampleModel || (root.isGrouped ? !canSort(root) : !ids);
}

/** The rows of what may have changed, as far as they are of this board or list. */
async function readRows(root, orm, ids) {
    const { records } = await orm.webSearchRead(
        root.resModel,
        Domain.and([root.domain, [["id", "in", ids]]]).toList(),
        {
            context: { bin_size: true, ...root.context },
            limit: ids.length,
            specification: getFieldsSpec(root.activeFields, root.fields, root.context),
        }
    );
    return new Map(records.map((row) => [row.id, row]));
}

/**
 * What rows that changed make of what is shown.
 *
 * @returns {{ stay: [RelationalRecord, Object][], stale: Set }} the records that stay in
 *   their place, with their values, and the columns that must be read again
 */
function compare(root, loaded, ids, rows) {
    const stay = [];
    const stale = new Set();
    for (const id of ids) {
        const row = rows.get(id);
        const { record, group } = loaded.get(id) || {};
        const target = !row
            ? null
            : root.isGrouped
              ? root.groups.find(
                    (each) => each.value === groupValue(row, root.groupByField.name)
                )
              : group || { list: root, count: root.count };
        if (record && group === target) {
            if (group.config?.extraDomain) {
                stale.add(group);
            } else {
                stay.push([record, row]);
            }
            continue;
        }
        if (record) {
            stale.add(group);
        }
        if (target && !target.isFolded && !isBeyond(target, row)) {
            stale.add(target);
        }
    }
    return { stay, stale };
}

/** Whether the same records are loaded, each in the same group. */
function isSame(one, other) {
    return (
        one.size === other.size &&
        [...one].every(([id, { record, group }]) => {
            const its = other.get(id);
            return its?.record === record && (its.group === group || !group.id);
        })
    );
}

/**
 * Show what changed on the server, and leave the rest of a board or a list as it is.
 *
 * A record that stays in its place is updated there. Only columns that a record enters
 * or leaves are read again. Everything is read before anything is shown: a card that
 * somebody took up meanwhile is not drawn anew in their hand.
 *
 * @param {RelationalModel} model of a kanban or list view
 * @param {ORM} orm
 * @param {number[]|null} ids of what may have changed; `null`: anything
 * @param {() => boolean} isBusy whether what is shown must stay as it is for now
 * @returns {Promise<boolean>} false when it could not be shown and is to be read again
 */
export async function refreshList(model, orm, ids, isBusy) {
    await model.mutex.getUnlockedDef();
    const { root } = model;
    if (mustLoadAll(model, ids)) {
        model.useSampleModel = false;
        await model.load();
        return true;
    }
    const loaded = loadedRecords(root);
    const unfolded = () => root.groups.filter((group) => !group.isFolded);
    const { stay, stale } = ids
        ? compare(root, loaded, ids, await readRows(root, orm, ids))
        : { stay: [], stale: unfolded() };
    const [counts, ...lists] = await Promise.all([
        root.isGrouped ? readCounts(root, orm) : [],
        ...[...stale].map(({ list }) => readList(list)),
    ]);
    await model.mutex.getUnlockedDef();
    if (model.root !== root) {
        // Loaded anew meanwhile: what is shown is younger than what was read.
        return true;
    }
    if (isBusy() || !isSame(loaded, loadedRecords(root))) {
        return false;
    }
    for (const [record, row] of stay) {
        if (!record.dirty) {
            record._applyValues(row);
        }
    }
    for (const [list, data] of lists) {
        list._setData(data);
    }
    for (const [group, count] of counts) {
        group.count = count;
    }
    return true;
}
