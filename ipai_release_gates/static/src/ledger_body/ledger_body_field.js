import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const COMMIT = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

/** The body of a ledger entry in readable form; the form of the entry has the JSON. */
export class LedgerBodyField extends Component {
    static template = "ipai_release_gates.LedgerBodyField";
    static props = { ...standardFieldProps };

    get items() {
        const body = JSON.parse(this.props.record.data[this.props.name] || "{}");
        return Object.entries(body)
            .map(([key, value]) => ({
                key: key.replaceAll("_", " "),
                value: this.inWords(value),
            }))
            .filter((item) => item.value);
    }

    inWords(value) {
        if (Array.isArray(value)) {
            return value.map((item) => this.inWords(item)).join(", ");
        }
        if (value && typeof value === "object") {
            return JSON.stringify(value);
        }
        if (typeof value === "boolean") {
            // False is the usual value, so it is left out.
            return value ? _t("yes") : "";
        }
        return COMMIT.test(value) ? value.slice(0, 7) : String(value ?? "");
    }
}

export const ledgerBodyField = {
    component: LedgerBodyField,
    displayName: _t("Ledger body"),
    supportedTypes: ["text"],
};

registry.category("fields").add("ipai_ledger_body", ledgerBodyField);
