import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

/** The kind of a ledger entry as label and icon; both come from the server. */
export class LedgerKindField extends Component {
    static template = "ipai_release_gates.LedgerKindField";
    static props = { ...standardFieldProps };

    get icon() {
        return this.props.record.data.icon || "fa-circle-o";
    }

    get label() {
        const kind = this.props.record.data[this.props.name];
        const { selection } = this.props.record.fields[this.props.name];
        // The kind of an addon that is uninstalled is shown by its code.
        return selection.find(([value]) => value === kind)?.[1] || kind || "";
    }
}

export const ledgerKindField = {
    component: LedgerKindField,
    displayName: _t("Kind of ledger entry"),
    supportedTypes: ["selection"],
    fieldDependencies: [{ name: "icon", type: "char", readonly: true }],
};

registry.category("fields").add("ipai_ledger_kind", ledgerKindField);
