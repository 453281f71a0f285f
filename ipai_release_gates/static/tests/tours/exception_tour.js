import { registry } from "@web/core/registry";

import { cardIn, drag, refusalSays } from "./helpers";

const tours = registry.category("web_tour.tours");

tours.add("ipai_exception_is_requested", {
    steps: () => [
        ...drag("Tour", "Build", "QA Validation"),
        refusalSays("No build log recorded for G1 and revision REV"),
        {
            content: "a way around is offered where the condition may be waived",
            trigger:
                ".ipai_refusal [data-condition=build_log] button:contains('Request exception')",
            run: "click",
        },
        {
            content: "release, gate and requirement are set",
            trigger:
                ".modal .o_form_view:has([name=release_ids] .o_tag:contains('Tour')):has([name=gate_ids] .o_tag:contains('G1')) [name=requirement_ids] .o_tag:contains('Build log kept')",
        },
        {
            content: "who approves it is said",
            trigger: ".modal .alert-info:contains('Approved by Odoo Release Manager')",
        },
        {
            trigger: ".modal .o_field_widget[name=rationale] textarea",
            run: "edit The runner lost its log.",
        },
        {
            trigger: ".modal .o_field_widget[name=risk_statement] textarea",
            run: "edit Nobody can look up how it was built.",
        },
        {
            trigger: ".modal footer button[name=action_request]",
            run: "click",
        },
        {
            content: "until it is decided the gate stays closed",
            trigger: `body:not(:has(.modal)) ${cardIn("Build", "Tour")}:contains('No build log')`,
        },
    ],
});

tours.add("ipai_exception_is_decided", {
    steps: () => [
        {
            trigger: ".o_list_view .o_data_row:contains('Tour') .o_data_cell",
            run: "click",
        },
        {
            trigger: ".o_form_view .o_statusbar_buttons button:contains('Decide')",
            run: "click",
        },
        {
            content: "what is asked for stands beside",
            trigger:
                ".modal .o_form_view:not(:has(.alert-warning)) .o_field_widget[name=rationale]:contains('The runner lost its log.')",
        },
        {
            trigger: ".modal .o_field_widget[name=rationale_text] textarea",
            run: "edit Built again, with the same digest.",
        },
        {
            trigger: ".modal footer button[name=action_decide]",
            run: "click",
        },
        {
            content: "it is in force, and nothing is left to decide",
            trigger:
                "body:not(:has(.modal)) .o_form_view:not(:has(.o_statusbar_buttons button:contains('Decide'))):contains('Active')",
        },
    ],
});

tours.add("ipai_exception_opens_the_gate", {
    steps: () => [
        {
            trigger: `${cardIn("Build", "Tour")}:has(.ipai_bypassed_until) .ipai_gate_mark[data-status=bypassed]:contains('G1')`,
        },
        ...drag("Tour", "Build", "QA Validation"),
        {
            trigger: `body:not(:has(.modal)) ${cardIn("QA Validation", "Tour")}:not(.o_dragged)`,
        },
    ],
});
