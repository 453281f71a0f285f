/** Signs and words for the statuses of gates and the states of conditions: none of them
 *  is shown by a colour alone. */

import { _t } from "@web/core/l10n/translation";

export const GATE_STATUSES = {
    pending: { icon: "fa-circle-o", label: _t("Pending") },
    in_progress: { icon: "fa-adjust", label: _t("In Progress") },
    passed: { icon: "fa-check", label: _t("Passed") },
    failed: { icon: "fa-times", label: _t("Failed") },
    bypassed: { icon: "fa-share", label: _t("Bypassed") },
};

export const CONDITION_STATES = {
    met: { icon: "fa-check-circle", label: _t("Met") },
    unmet: { icon: "fa-times-circle", label: _t("Unmet") },
    waived: { icon: "fa-share", label: _t("Waived") },
    not_applicable: { icon: "fa-minus-circle", label: _t("Not applicable") },
};
