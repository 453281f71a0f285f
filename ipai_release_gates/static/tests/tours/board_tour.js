import { registry } from "@web/core/registry";

import { card, cardIn, column, drag, refusalSays } from "./helpers";

const tours = registry.category("web_tour.tours");

tours.add("ipai_drag_into_closed_gate", {
    steps: () => [
        ...drag("Tour", "QA Validation", "Staging Acceptance"),
        refusalSays("No acceptance criteria recorded for G2 and revision REV"),
        {
            content: "the gate has its name",
            trigger: ".ipai_refusal h6:contains('G2 Validation Readiness')",
        },
        {
            content: "the card is back",
            trigger: `.o_kanban_renderer:has(${cardIn("QA Validation", "Tour")})`,
        },
        {
            content: "take the next step",
            trigger: ".ipai_refusal .ipai_next_step:contains('Record evidence')",
            run: "click",
        },
        {
            content: "release, gate and type are set",
            trigger: ".modal .o_field_widget[name=release_ids]:contains('Tour')",
        },
        {
            trigger:
                ".modal .o_field_widget[name=gate_id] input:value('G2 Validation Readiness')",
        },
        {
            trigger:
                ".modal .o_field_widget[name=type_id] input:value('Acceptance criteria')",
        },
        {
            trigger: ".modal .o_field_widget[name=url] input",
            run: "edit https://wiki.example.com/criteria",
        },
        {
            trigger: ".modal footer button[name=action_record]",
            run: "click",
        },
        {
            content: "the board shows the gate open",
            trigger: `${cardIn("QA Validation", "Tour")} .ipai_gate_mark[data-status=passed]:contains('G2')`,
        },
        {
            trigger: "body:not(:has(.modal))",
        },
        ...drag("Tour", "QA Validation", "Staging Acceptance"),
        {
            content: "the card has moved",
            trigger: `${cardIn("Staging Acceptance", "Tour")}:not(.o_dragged)`,
        },
        {
            content: "and is saved",
            trigger: `body:not(:has(.modal)) ${column("QA Validation")}:not(:has(${card("Tour")}))`,
        },
    ],
});

tours.add("ipai_refusal_names_everything", {
    steps: () => [
        ...drag("Tour", "Build", "Staging Acceptance"),
        refusalSays(
            "No successful build check for revision REV",
            "No successful unit_tests check for revision REV; No successful lint check for revision REV",
            "No build log recorded for G1 and revision REV",
            "No acceptance criteria recorded for G2 and revision REV",
            "No defect register recorded for G2 and revision REV",
            "No test result recorded for G2 and revision REV",
            "No valid sign-off by a qa tester for revision REV",
            "G1 Build Integrity is pending"
        ),
        { trigger: ".ipai_refusal h6:contains('G1 Build Integrity')" },
        { trigger: ".ipai_refusal h6:contains('G2 Validation Readiness')" },
        {
            content: "what a release manager cannot do is not offered",
            trigger:
                ".ipai_refusal [data-condition=qa_signoff]:not(:has(button.btn-secondary)):has(button.btn-link)",
        },
        {
            trigger: ".ipai_refusal button:contains('Open the release')",
            run: "click",
        },
        {
            content: "the release opens, with its first gate unfolded",
            trigger: ".o_form_view .ipai_gate_panel[data-gate=G1][open]",
        },
    ],
});

tours.add("ipai_refusal_of_the_mover", {
    steps: () => [
        ...drag("Tour", "QA Validation", "Staging Acceptance"),
        refusalSays(
            "Only Odoo Release Manager may move a release to Staging Acceptance"
        ),
        {
            content: "there is no step to take",
            trigger: ".ipai_refusal:not(:has(.ipai_next_step))",
        },
        {
            trigger: ".ipai_refusal footer button:contains('Close')",
            run: "click",
        },
        { trigger: `body:not(:has(.modal)) ${cardIn("QA Validation", "Tour")}` },
    ],
});

tours.add("ipai_drag_back", {
    steps: () => [
        ...drag("Tour", "QA Validation", "Build"),
        refusalSays("Moving back needs a reason"),
        {
            trigger: ".ipai_refusal .ipai_next_step:contains('Give a reason')",
            run: "click",
        },
        { trigger: ".modal .o_field_widget[name=stage_id] input:value('Build')" },
        {
            trigger: ".modal .o_field_widget[name=reason] input",
            run: "edit Wrong branch",
        },
        {
            trigger: ".modal footer button[name=action_move]",
            run: "click",
        },
        { trigger: `body:not(:has(.modal)) ${cardIn("Build", "Tour")}` },
    ],
});

tours.add("ipai_open_release", {
    steps: () => [
        { trigger: column("Build") },
        {
            trigger: ".o-kanban-button-new",
            run: "click",
        },
        {
            trigger: ".o_kanban_quick_create .o_field_widget[name=name] input",
            run: "edit Opened",
        },
        {
            trigger: ".o_kanban_quick_create .o_field_widget[name=project_id] input",
            run: "edit acme/shop",
        },
        {
            trigger: ".ui-autocomplete .ui-menu-item a:contains('acme/shop')",
            run: "click",
        },
        {
            trigger: ".o_kanban_quick_create .o_field_widget[name=source_ref] input",
            run: "edit 0123456789abcdef0123456789abcdef01234567",
        },
        {
            trigger: ".o_kanban_quick_create .o_field_widget[name=author_emails] input",
            run: "edit dev@example.com",
        },
        {
            trigger: ".o_kanban_quick_create .o_kanban_add",
            run: "click",
        },
        { trigger: cardIn("Build", "Opened") },
    ],
});

tours.add("ipai_cards_lie_still", {
    steps: () => [
        {
            content: "there is nothing to take hold of",
            trigger: `${cardIn("QA Validation", "Tour")}:not(.o_draggable)`,
        },
    ],
});

tours.add("ipai_too_long_in_its_stage", {
    steps: () => [
        {
            content: "the card says how long",
            trigger: `${card("Long")} .ipai_rotting:contains('15'):contains('days in this stage')`,
        },
        {
            content: "another says nothing",
            trigger: `${card("Fresh")}:not(:has(.ipai_rotting))`,
        },
        { trigger: ".o_searchview_dropdown_toggler", run: "click" },
        {
            trigger: ".o_filter_menu .o_menu_item:contains('Too Long in Its Stage')",
            run: "click",
        },
        {
            content: "only the one that sits too long is left",
            trigger: `.o_kanban_renderer:has(${card("Long")}):not(:has(${card("Fresh")}))`,
        },
    ],
});
