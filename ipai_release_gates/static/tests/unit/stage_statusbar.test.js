import { describe, expect, test } from "@odoo/hoot";
import {
    defineModels,
    fields,
    models,
    mountView,
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
        { id: 3, name: "Production" },
    ];
}
defineModels([Stage]);

const HOUR = 3600;
const stage = (name) => `.o_statusbar_status .o_arrow_button:contains('${name}')`;

async function mountBar(values) {
    Release._fields.stage_id = fields.Many2one({ relation: "ipai.release.stage" });
    Release._fields.duration_tracking = fields.Json();
    Release._fields.is_rotting = fields.Boolean();
    Release._fields.rotting_days = fields.Integer();
    Release._records = [{ id: 1, name: "1.0", stage_id: 2, ...values }];
    await mountView({
        type: "form",
        resModel: "ipai.release",
        resId: 1,
        arch: `<form>
            <header><field name="stage_id" widget="ipai_stage_statusbar"/></header>
            <field name="name"/>
        </form>`,
    });
}

test("each stage shows how long the release was there", async () => {
    await mountBar({ duration_tracking: { 1: 51 * HOUR, 2: 3 * HOUR } });
    expect(`${stage("Build")} [title='2 days, 3 hours']`).toHaveText("2d");
    expect(`${stage("Validation")} [title='3 hours']`).toHaveText("3h");
    expect(`${stage("Production")} [title]`).toHaveCount(0);
});

test("a stage that lasts too long has a warning", async () => {
    await mountBar({
        duration_tracking: { 2: 15 * 24 * HOUR },
        is_rotting: true,
        rotting_days: 15,
    });
    expect(`${stage("Validation")} .o_mail_resource_rotting_bg`).toHaveText("15d");
});
