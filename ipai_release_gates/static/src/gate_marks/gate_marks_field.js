import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { GATE_STATUSES } from "../status";

/** The gates of a release as a row of marks: code, sign and colour. */
export class GateMarksField extends Component {
    static template = "ipai_release_gates.GateMarksField";
    static props = { ...standardFieldProps };

    get marks() {
        return (this.props.record.data[this.props.name] || []).map((mark) => ({
            ...mark,
            icon: GATE_STATUSES[mark.status].icon,
            title: _t("%(code)s %(name)s: %(status)s", {
                code: mark.code,
                name: mark.name,
                status: mark.label,
            }),
        }));
    }
}

export const gateMarksField = {
    component: GateMarksField,
    displayName: _t("Gate marks"),
    supportedTypes: ["json"],
};

registry.category("fields").add("ipai_gate_marks", gateMarksField);
