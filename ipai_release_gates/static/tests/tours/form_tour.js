import { registry } from "@web/core/registry";

const tours = registry.category("web_tour.tours");

tours.add("ipai_status_bar_refused", {
    steps: () => [
        {
            content: "what is being edited must survive the refusal",
            trigger: ".o_field_widget[name=name] input",
            run: "edit Tour renamed",
        },
        {
            content: "the bar says how long the release has been in its stage",
            trigger:
                ".o_statusbar_status .o_arrow_button_current:contains('Build') [title^='3 days']:contains('3d')",
        },
        {
            content: "click the next stage, which may stand in the bar's menu",
            trigger: ".o_statusbar_status .o_arrow_button:contains('QA Validation')",
            run: "click",
        },
        {
            trigger: ".ipai_refusal [data-condition=build_log]",
        },
        {
            trigger: ".ipai_refusal footer button:contains('Close')",
            run: "click",
        },
        {
            content: "the present stage is shown again",
            trigger:
                "body:not(:has(.modal)) .o_statusbar_status .o_arrow_button_current:contains('Build')",
        },
        {
            trigger: ".o_field_widget[name=name] input:value('Tour renamed')",
        },
        {
            content: "and nothing is left to save",
            trigger:
                ".o_form_view:not(:has(.o_form_status_indicator_buttons:not(.invisible)))",
        },
    ],
});

tours.add("ipai_sign_off", {
    steps: () => [
        {
            trigger:
                ".ipai_gate_panel[data-gate=G2] [data-condition=qa_signoff] button",
            run: "click",
        },
        {
            trigger:
                ".modal .o_field_widget[name=gate_id] input:value('G2 Validation Readiness')",
        },
        {
            trigger:
                ".modal .o_data_row:contains('Acceptance criteria mapped'):contains('recorded for revision')",
        },
        {
            trigger: ".modal .o_field_widget[name=rationale_text] textarea",
            run: "edit Seen on staging.",
        },
        {
            trigger: ".modal footer button[name=action_decide]:contains('Approve')",
            run: "click",
        },
        {
            content: "the panel shows the gate passed",
            trigger:
                "body:not(:has(.modal)) .ipai_gate_panel[data-gate=G2][data-status=passed]",
        },
    ],
});
