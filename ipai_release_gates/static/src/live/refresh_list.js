import { Domain } from "@web/core/domain";
import { getFieldsSpec } from "@web/model/relational_model/utils";

/** The records that a kanban or list view has loaded, by id, each with its group. */
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

/** The value that decides the group of a row. */
function groupValue(row, fieldName) {
    const value = row[fieldName];
    return value && typeof value === "object" ? value.id : value;
}

/** Whether a row comes after the records that a column has loaded, and is not shown. */
function isBeyond({ list, count }, row) {
    const last = list.records.at(-1);
    if (!last || list.records.length >= count || list.orderBy.length) {
        return false;
    }
    // The order of the model: urgent releases first, then the newest.
    const [mine, its] = [Number(row.priority), Number(last.data.priority)];
    return mine === its ? row.id < last.resId : mine < its;
}

/** The number of records of each group, including folded groups and unloaded records. */
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

/** Read a column again, without showing it. */
async function readList(list) {
    let read;
    const commit = (data) => {
        read = data;
    };
    await list.model._updateConfig(list.config, {}, { commit });
    return [list, read];
}

/** Whether the view has the field that decides the column of a row. */
function canSort(root) {
    const [groupBy, ...more] = root.groupBy;
    return (
        !more.length &&
        root.groupByField.type === "many2one" &&
        groupBy in root.activeFields
    );
}

/** Whether an update needs a reload of the whole view. */
export function mustLoadAll({ root, useSampleModel }, ids) {
    return useSampleModel || (root.isGrouped ? !canSort(root) : !ids);
}

/** The present values of records that may have changed and belong to this view. */
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
 * Compare changed rows with the records on screen.
 *
 * @returns {{ stay: [RelationalRecord, Object][], stale: Set }} the records that stay in
 *   place, with their new values, and the columns that must be read again
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

/** Whether both maps hold the same records, each in the same group. */
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
 * Show the changes of the server in a kanban or list view, and keep the rest as it is.
 *
 * A record that stays in place is updated there. Only columns that a record enters or
 * leaves are read again. All reads end before the first change on screen, so that a card
 * which a user starts to drag meanwhile is not rendered again.
 *
 * @param {RelationalModel} model of a kanban or list view
 * @param {ORM} orm
 * @param {number[]|null} ids of records that may have changed; `null`: any
 * @param {() => boolean} isBusy whether the screen must not change now
 * @returns {Promise<boolean>} false when the screen did not change, and the caller must
 *   try again
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
        // The view was reloaded meanwhile: it is newer than these rows.
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
