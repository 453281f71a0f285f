import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { pointerDown, pointerUp, queryAllTexts } from "@odoo/hoot-dom";
import { Deferred, animationFrame } from "@odoo/hoot-mock";
import {
    MockServer,
    contains,
    defineModels,
    fields,
    mockService,
    models,
    mountView,
    onRpc,
} from "@web/../tests/web_test_helpers";

import { Release, defineReleases } from "./release_model";

describe.current.tags("desktop");
defineReleases();

class Stage extends models.Model {
    _name = "ipai.release.stage";

    name = fields.Char();
    _records = [
        { id: 1, name: "Build" },
        { id: 2, name: "Validation" },
    ];
}
defineModels([Stage]);

const LIVE = "ipai_release_gates.live";
const cards = (column) =>
    queryAllTexts(`.o_kanban_group:eq(${column}) .o_kanban_record`);

/** The kanban board when it gets an update of releases. */
let hear;

beforeEach(async () => {
    Release._fields.stage_id = fields.Many2one({ relation: "ipai.release.stage" });
    Release._records = [
        { id: 1, name: "1.0", stage_id: 1 },
        { id: 2, name: "2.0", stage_id: 1 },
        { id: 3, name: "3.0", stage_id: 2 },
    ];
    mockService(LIVE, {
        listen: (callback, { isBusy }) => {
            hear = async (releases) => !isBusy() && callback({ releases });
            return () => {};
        },
    });
    await mountView({
        type: "kanban",
        resModel: "ipai.release",
        groupBy: ["stage_id"],
        arch: `
            <kanban js_class="ipai_release_kanban">
                <field name="stage_id"/>
                <templates><t t-name="card"><field name="name"/></t></templates>
            </kanban>`,
    });
});

/** Change a release on the server. */
function happen(id, values) {
    MockServer.env["ipai.release"].write([id], values);
}

test("a card moves with its release, and the counts change", async () => {
    happen(1, { stage_id: 2, name: "1.1" });
    expect(await hear([1])).toBe(true);
    await animationFrame();
    expect(cards(0)).toEqual(["2.0"]);
    expect(cards(1)).toEqual(["1.1", "3.0"]);
});

test("a card that is dragged during a refresh is not rendered again", async () => {
    const read = new Deferred();
    onRpc("web_search_read", async () => {
        await read;
    });
    happen(3, { name: "3.1" });
    const heard = hear(null);
    const { moveTo, drop } = await contains(".o_kanban_record:contains('2.0')").drag();
    await moveTo(".o_kanban_group:nth-child(2)");
    read.resolve();
    expect(await heard).toBe(false);
    await animationFrame();
    expect(".o_kanban_record.o_dragged").toHaveCount(1);
    expect(".o_kanban_record:contains('3.0')").toHaveCount(1);

    await drop();
    await animationFrame();
    expect(cards(0)).toEqual(["1.0"]);
    expect(await hear(null)).toBe(true);
    await animationFrame();
    expect(cards(1)).toEqual(["2.0", "3.1"]);
});

test("values read before a card moved are not shown afterwards", async () => {
    const read = new Deferred();
    let isHeld = true;
    onRpc("web_search_read", async ({ parent }) => {
        const answer = parent();
        if (isHeld) {
            isHeld = false;
            await read;
        }
        return answer;
    });
    const heard = hear(null);
    await contains(".o_kanban_record:contains('2.0')").dragAndDrop(
        ".o_kanban_group:nth-child(2)"
    );
    read.resolve();
    expect(await heard).toBe(false);
    await animationFrame();
    expect(cards(0)).toEqual(["1.0"]);
    expect(cards(1)).toEqual(["3.0", "2.0"]);
});

test("no card moves while a mouse button is pressed", async () => {
    happen(1, { name: "1.1" });
    await pointerDown(".o_control_panel");
    expect(await hear([1])).toBe(false);
    await pointerUp(".o_control_panel");
    expect(await hear([1])).toBe(true);
    await animationFrame();
    expect(cards(0)).toEqual(["1.1", "2.0"]);
});
