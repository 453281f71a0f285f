import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

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
                if (!example.textContent.includes("bearer $IPAI_TOKEN")) {
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
