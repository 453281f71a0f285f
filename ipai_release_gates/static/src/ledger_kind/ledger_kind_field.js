import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const ICONS = {
    release_opened: "fa-flag-o",
    revision_changed: "fa-code-fork",
    check: "fa-check-square-o",
    evidence: "fa-file-text-o",
    approval: "fa-pencil-square-o",
    exception_requested: "fa-question-circle-o",
    exception_approved: "fa-unlock-alt",
    exception_rejected: "fa-times-circle-o",
    exception_expired: "fa-clock-o",
    exception_revoked: "fa-undo",
    exception_closed: "fa-times-circle-o",
    exception_reviewed: "fa-search",
    exception_review_overdue: "fa-bell-o",
    gate_resolved: "fa-check-circle",
    gate_reopened: "fa-exclamation-circle",
    move_allowed: "fa-arrow-right",
    move_refused: "fa-ban",
    signoff_refused: "fa-ban",
    deployment: "fa-rocket",
    deployment_refused: "fa-ban",
    rollback: "fa-undo",
    incident: "fa-fire",
    policy_changed: "fa-sliders",
    role_changed: "fa-users",
};

/** What kind of entry it is, in a word and an icon. */
export class LedgerKindField extends Component {
    static template = "ipai_release_gates.LedgerKindField";
    static props = { ...standardFieldProps };

    get icon() {
        return ICONS[this.props.record.data[this.props.name]] || "fa-circle-o";
    }

    get label() {
        const kind = this.props.record.data[this.props.name];
        const { selection } = this.props.record.fields[this.props.name];
        return selection.find(([value]) => value === kind)?.[1] || "";
    }
}

export const ledgerKindField = {
    component: LedgerKindField,
    displayName: _t("Kind of ledger entry"),
    supportedTypes: ["selection"],
};

registry.category("fields").add("ipai_ledger_kind", ledgerKindField);
