import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** A reason of a verdict, with the text between backticks set as code. */
export class Reason extends Component {
    static template = "ipai_release_gates.Reason";
    static props = { text: String };

    get parts() {
        return this.props.text
            .split("`")
            .map((text, index) => ({ text, index, isCode: index % 2 === 1 }))
            .filter((part) => part.text);
    }
}

export class ReasonField extends Component {
    static template = "ipai_release_gates.ReasonField";
    static components = { Reason };
    static props = { ...standardFieldProps };
}

export const reasonField = {
    component: ReasonField,
    displayName: _t("Reason"),
    supportedTypes: ["char", "text"],
};

registry.category("fields").add("ipai_reason", reasonField);
