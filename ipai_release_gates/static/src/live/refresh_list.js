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
async function updateCounts(root, orm) {
    const name = root.groupByField.name;
    const counted = await orm.formattedReadGroup(
        root.resModel,
        root.domain,
        root.groupBy,
        ["__count"],
        { context: root.context }
    );
    for (const group of root.groups) {
        const found = counted.find(
            (each) => (each[name] ? each[name][0] : false) === group.serverValue
        );
        group.count = found ? found.__count : 0;
    }
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

/**
 * Show what changed on the server, and leave the rest of a board or a list as it is.
 *
 * A record that stays in its place is updated there. Only columns that a record enters
 * or leaves are read again.
 *
 * @param {RelationalModel} model of a kanban or list view
 * @param {ORM} orm
 * @param {number[]|null} ids of what may have changed; `null`: anything
 */
export async function refreshList(model, orm, ids) {
    await model.mutex.getUnlockedDef();
    const { root } = model;
    if (mustLoadAll(model, ids)) {
        model.useSampleModel = false;
        await model.load();
        return;
    }
    if (!ids) {
        const unfolded = root.groups.filter((group) => !group.isFolded);
        await Promise.all(unfolded.map((group) => group.list.load()));
        await updateCounts(root, orm);
        return;
    }
    const { records: rows } = await orm.webSearchRead(
        root.resModel,
        Domain.and([root.domain, [["id", "in", ids]]]).toList(),
        {
            context: { bin_size: true, ...root.context },
            limit: ids.length,
            specification: getFieldsSpec(root.activeFields, root.fields, root.context),
        }
    );
    await model.mutex.getUnlockedDef();
    if (model.root !== root) {
        // Loaded anew meanwhile: what is shown is younger than what was read.
        return;
    }
    const loaded = loadedRecords(root);
    const found = new Map(rows.map((row) => [row.id, row]));
    const stale = new Set();
    for (const id of ids) {
        const row = found.get(id);
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
            } else if (!record.dirty) {
                record._applyValues(row);
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
    await Promise.all([...stale].map((group) => group.list.load()));
    if (root.isGrouped && model.root === root) {
        await updateCounts(root, orm);
    }
}
