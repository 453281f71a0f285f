import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

import { markup } from "@odoo/owl";

const IN_BUILD = ".o_kanban_group:eq(0) .o_kanban_record:contains('2026.12.0')";
const G1 = ".ipai_gate_panel[data-gate=G1]";

/**
 * Shows a new user a refused move of a release of the demo data, its reasons and the
 * next step. It changes no release; the refusal is in the ledger, as every refusal.
 */
registry.category("web_tour.tours").add("ipai_first_hour", {
    url: "/odoo/releases",
    steps: () => [
        {
            trigger: IN_BUILD,
            content: markup(
                _t(
                    "A card is a release, and its four marks are its gates. CI has said nothing about this one yet. <b>Drag it to the next stage:</b> you will be refused. Read why, then choose <b>Open the release</b>."
                )
            ),
            tooltipPosition: "right",
            run: "drag_and_drop(.o_kanban_group:eq(1))",
        },
        // A tour cannot point into a dialog that has just opened, so the step before
        // explains it.
        {
            isActive: ["auto"],
            trigger: ".ipai_refusal footer button:contains(Open the release)",
            timeout: 30000, // the server judges again before it refuses
            run: "click",
        },
        {
            trigger: `${G1}[open] .ipai_condition_text:first`,
            content: markup(
                _t(
                    "The next gate is unfolded: what is met, what is not, and why. What was recorded is one click away. <b>Click the first condition.</b>"
                )
            ),
            tooltipPosition: "bottom",
            run: "click",
        },
        {
            trigger: `${G1} [data-condition=build_log] .ipai_condition_actions .btn-secondary`,
            content: markup(
                _t(
                    "What you may do yourself has a button. <b>Click it:</b> release, gate and type are set, and in a real release you name the address of the log there. <b>Then close it.</b>"
                )
            ),
            tooltipPosition: "left",
            run: "click",
        },
        {
            isActive: ["auto"],
            trigger: ".modal .btn-close",
            run: "click",
        },
        {
            trigger: ".o_breadcrumb .o_back_button, .breadcrumb-item:not(.active) a",
            content: markup(
                _t(
                    "When CI has reported the build, the gate passes and the same drag is allowed. <b>Go back to the board.</b>"
                )
            ),
            tooltipPosition: "bottom",
            run: "click",
        },
    ],
});
