import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** The checklist of a decision. A value that is no checklist is shown as it was sent. */
export class ChecklistField extends Component {
    static template = "ipai_release_gates.ChecklistField";
    static props = { ...standardFieldProps };

    get items() {
        const value = this.props.record.data[this.props.name];
        const isChecklist =
            Array.isArray(value) &&
            value.every((item) => item && typeof item.name === "string");
        return isChecklist ? value : null;
    }

    get text() {
        return JSON.stringify(this.props.record.data[this.props.name], null, 2);
    }
}

export const checklistField = {
    component: ChecklistField,
    displayName: _t("Checklist"),
    supportedTypes: ["json"],
};

registry.category("fields").add("ipai_checklist", checklistField);
