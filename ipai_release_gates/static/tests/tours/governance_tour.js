import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

/** Choose a file with this text, as a user does in the dialog of the browser. */
const choose =
    (text) =>
    ({ anchor }) => {
        const transfer = new window.DataTransfer();
        transfer.items.add(new window.File([text], "mine.yaml"));
        anchor.files = transfer.files;
        anchor.dispatchEvent(new window.Event("change", { bubbles: true }));
    };

tours.add("ipai_ci_service_is_made", {
    steps: () => [
        {
            content: "make a service",
            trigger: ".o_control_panel button:contains('New Service')",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name='name'] input",
            run: "edit CI of the tour",
        },
        {
            trigger: ".modal .o_field_widget[name='login'] input",
            run: "edit ci-tour",
        },
        { trigger: ".modal button[name='action_create_service']", run: "click" },
        {
            content: "its key is shown, with an example to paste",
            trigger: ".modal .o_field_widget[name='key']",
            run() {
                const dialog = document.querySelector(".modal");
                if (!/[0-9a-f]{40}/.test(dialog.textContent)) {
                    throw new Error(`no key in: ${dialog.textContent}`);
                }
                const example = dialog.querySelector(".o_field_widget[name='json2']");
                if (!example.textContent.includes("bearer $IPAI_GATES_KEY")) {
                    throw new Error(`no example in: ${example.textContent}`);
                }
            },
        },
        { trigger: ".modal-footer button:contains('Done')", run: "click" },
        { trigger: "body:not(:has(.modal))" },
    ],
});

tours.add("ipai_freeze_is_shown", {
    steps: () => [
        {
            content: "on the card, as a sign and in words",
            trigger:
                ".o_kanban_record:has(.ipai_freeze .fa-snowflake-o):contains('Frozen until')",
            run: "click",
        },
        {
            content: "and above the form",
            trigger: ".o_form_view .alert-danger:contains('Year-end closing')",
        },
    ],
});

tours.add("ipai_freeze_recurs", {
    steps: () => [
        { trigger: ".o_list_button_add", run: "click" },
        {
            trigger: ".o_field_widget[name='recurrence'] input",
            run: "click",
        },
        {
            trigger: ".o_select_menu_item:contains('Every week')",
            run: "click",
        },
        {
            content: "its weekdays can be chosen",
            trigger: ".o_recurrent_weekday_label:contains('Fri')",
        },
        { trigger: ".o_field_widget[name='tz']" },
        { trigger: ".o_form_button_cancel", run: "click" },
        { trigger: ".o_list_view" },
    ],
});

tours.add("ipai_gap_is_shown", {
    steps: () => [
        {
            content: "a domain without a primary",
            trigger:
                ".o_data_row:contains('odoo.legal'):contains('No persona is its primary')",
        },
        {
            content: "a condition stands on top and leads to the requirement",
            trigger:
                ".o_data_row:first-child:contains('G3 no_freeze'):contains('No persona holds') .o_data_cell[name='name']",
            run: "click",
        },
        { trigger: ".o_form_view .o_field_widget[name='expertise_domain_id']" },
    ],
});

tours.add("ipai_persona_is_made", {
    steps: () => [
        {
            trigger: ".o_control_panel button:contains('New from Template')",
            run: "click",
        },
        {
            trigger: ".modal .o_field_widget[name='name'] input",
            run: "edit Security Reviewer",
        },
        {
            trigger: ".modal .o_field_widget[name='code'] input",
            run: "edit security_reviewer",
        },
        {
            trigger: ".modal .o_field_widget[name='may_decide'] input",
            run: "click",
        },
        { trigger: ".modal button[name='action_create_persona']", run: "click" },
        {
            content: "the draft says what it lacks",
            trigger: ".o_form_view .alert-warning:contains('Decision rights')",
        },
    ],
});

tours.add("ipai_registry_names_the_line", {
    steps: () => [
        {
            trigger: ".o_control_panel button:contains('Import Registry')",
            run: "click",
        },
        {
            trigger:
                ".modal .o_field_widget[name='content'] input[type='file']:not(:visible)",
            run: choose("version: 1\npersonas: 7\n"),
        },
        {
            trigger: ".modal .o_field_widget[name='content'] input:value('mine.yaml')",
        },
        { trigger: ".modal button[name='action_preview']", run: "click" },
        {
            content: "file, line and field",
            trigger: ".modal .alert-danger:contains('mine.yaml, line 2, personas')",
        },
        { trigger: ".modal-footer button:contains('Discard')", run: "click" },
        { trigger: "body:not(:has(.modal))" },
    ],
});

tours.add("ipai_policy_is_imported", {
    steps: () => [
        {
            trigger: ".o_control_panel button:contains('Import Gate Policy')",
            run: "click",
        },
        {
            trigger:
                ".modal .o_field_widget[name='content'] input[type='file']:not(:visible)",
            run: choose(
                "schema: gate_schema\nversion: 1\ngates:\n  G1:\n    name: Builds\n"
            ),
        },
        {
            trigger: ".modal .o_field_widget[name='content'] input:value('mine.yaml')",
        },
        { trigger: ".modal button[name='action_preview']", run: "click" },
        {
            content: "what would change, before it does",
            trigger:
                ".modal .o_field_widget[name='preview']:contains('Build Integrity → Builds')",
        },
        {
            trigger: ".modal .o_field_widget[name='note'] textarea",
            run: "edit Agreed in the review.",
        },
        { trigger: ".modal button[name='action_import']", run: "click" },
        { trigger: "body:not(:has(.modal)) .o_data_row:contains('Builds')" },
    ],
});

tours.add("ipai_policy_is_exported", {
    steps: () => [
        {
            content: "who only reads has no import",
            trigger:
                ".o_control_panel:not(:has(button:contains('Import Gate Policy'))) button:contains('Export Gate Policy')",
            run: "click",
        },
        {
            trigger:
                ".modal .o_field_widget[name='schema'] label:contains('Exceptions')",
            run: "click",
        },
        {
            content: "the file of what was chosen",
            trigger:
                ".modal .o_field_widget[name='filename']:contains('exception_schema.yaml')",
        },
        { trigger: ".modal button[name='action_download']:enabled" },
        { trigger: ".modal-footer button:contains('Done')", run: "click" },
        { trigger: "body:not(:has(.modal))" },
    ],
});
