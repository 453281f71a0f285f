import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

/** Steps that choose an action under the cog of the form on screen. */
const action = (name) => [
    {
        trigger: ".o_form_view .o_cp_action_menus button:has(.fa-cog)",
        run: "click",
    },
    {
        trigger: `.o-dropdown--menu .o_menu_item:contains('${name}')`,
        run: "click",
    },
];

/** Step that writes into a field of the wizard on screen. */
const write = (field, text, kind = "input") => ({
    trigger: `.modal .o_field_widget[name=${field}] ${kind}`,
    run: `edit ${text}`,
});

/** Steps that choose a value of a selection in the wizard on screen. */
const choose = (field, label) => [
    {
        trigger: `.modal .o_field_widget[name=${field}] input`,
        run: "click",
    },
    {
        trigger: `.o_select_menu_item:contains('${label}')`,
        run: "click",
    },
];

const said = (text) => ({
    trigger: `body:not(:has(.modal)) .o_notification:contains('${text}')`,
});

/** Step that opens the one record that a button of the release counts. */
const follow = (label, place = ".o_form_view") => ({
    content: `the release counts one of ${label}`,
    trigger: `${place} .oe_stat_button:contains('${label}'):has(.o_stat_value:contains('1'))`,
    run: "click",
});

tours.add("ipai_sre_at_work", {
    steps: () => [
        {
            content: "an event that was not taken lies in the inbox",
            trigger: ".o_list_view .o_data_row:contains('Rejected') .o_data_cell",
            run: "click",
        },
        {
            content: "it says why",
            trigger:
                ".o_form_view .alert-warning:contains('acme/shop has no environment “canary”')",
        },
        {
            content: "the cause is mended: process it again",
            trigger: ".o_form_view button[name=action_reprocess]",
            run: "click",
        },
        said("Accepted: 1"),
        {
            trigger: ".o_statusbar_status .o_arrow_button_current:contains('Accepted')",
        },
        {
            trigger: ".o_form_view .o_field_widget[name=release_id] a",
            run: "click",
        },
        {
            content: "the release the event was about",
            trigger: ".o_form_view .ipai_gate_panel[data-gate=G3][data-status=passed]",
        },
        ...action("Deploy…"),
        {
            content: "production is meant, and nothing stands in the way",
            trigger:
                ".modal .o_form_view:not(:has(.alert-warning)) .o_field_widget[name=environment_id] input:value('production')",
        },
        write("reference", "run-4711"),
        ...choose("status", "Succeeded"),
        {
            trigger: ".modal footer button[name=action_deploy]",
            run: "click",
        },
        said("Deployment of Tour to production recorded."),
        ...action("Open incident…"),
        write("name", "Slow pages"),
        ...choose("severity", "High"),
        {
            trigger: ".modal footer button[name=action_open]",
            run: "click",
        },
        said("Incident opened on Tour."),
        {
            content: "not every button has room",
            trigger: ".o_form_view .o_button_more",
            run: "click",
        },
        follow("Incidents", ".o-dropdown--menu"),
        {
            trigger: ".o_list_view .o_data_row:contains('Slow pages') .o_data_cell",
            run: "click",
        },
        {
            trigger: ".o_form_view button[name=action_resolve]",
            run: "click",
        },
        {
            trigger: ".modal:contains('this incident is over') footer .btn-primary",
            run: "click",
        },
        {
            content: "it is over, and owes a post-mortem",
            trigger:
                "body:not(:has(.modal)) .o_form_view:has(.ribbon:contains('Resolved')) button[name=action_complete_postmortem]",
        },
        {
            trigger: ".o_breadcrumb a:contains('Tour'), .o_back_button",
            run: "click",
        },
        follow("Deployments"),
        {
            trigger: ".o_list_view .o_data_row:contains('run-4711') .o_data_cell",
            run: "click",
        },
        {
            trigger: ".o_form_view button[name=action_open_roll_back]",
            run: "click",
        },
        {
            content: "the deployment is chosen already",
            trigger:
                ".modal .o_field_widget[name=deployment_ids] .o_tag:contains('run-4711')",
        },
        ...choose("trigger", "Incident"),
        ...choose("outcome", "Restored"),
        write("note", "The old version answers again.", "textarea"),
        write("reason", "Pages stayed slow", "textarea"),
        {
            trigger: ".modal footer button[name=action_roll_back]",
            run: "click",
        },
        said("Rollback of run-4711 recorded."),
        {
            content: "the deployment shows it",
            trigger: ".o_form_view:has(.o_field_widget[name=rollback_reason])",
        },
    ],
});

tours.add("ipai_dossier_without_pdf", {
    steps: () => [
        { trigger: ".o_form_view .ipai_gate_panel" },
        ...action("Dossier"),
        {
            content: "it says why it is no PDF",
            trigger: ".o_notification:contains('Unable to find Wkhtmltopdf')",
        },
        {
            content: "and shows the same as a page",
            trigger: ":iframe h2:contains('Release dossier'):contains('Tour')",
        },
    ],
});
