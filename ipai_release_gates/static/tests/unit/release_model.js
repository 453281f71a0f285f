import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { defineModels, fields, models } from "@web/../tests/web_test_helpers";

/** A release as the screens read it; computed fields are plain fields here. */
export class Release extends models.Model {
    _name = "ipai.release";

    name = fields.Char();
    gate_marks = fields.Json();
    verdict_tree = fields.Json();
    next_steps = fields.Json();
    fact_links = fields.Json();
}

export function defineReleases() {
    defineMailModels();
    defineModels([Release]);
}
