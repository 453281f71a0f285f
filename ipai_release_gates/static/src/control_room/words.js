/** What the control room calls its figures, and how each of them is counted. */

import { _t } from "@web/core/l10n/translation";

export const NEEDS = {
    sign_offs: {
        icon: "fa-pencil-square-o",
        label: _t("Sign-offs to give"),
        help: _t("The next gate asks for your signature; you are not an author."),
    },
    held_by_my_gate: {
        icon: "fa-lock",
        label: _t("Releases held by your gate"),
        help: _t("A persona you hold answers for what the next gate still lacks."),
    },
    ready_to_move: {
        icon: "fa-arrow-right",
        label: _t("Releases ready to move on"),
        help: _t("The next gate is open, and you may move them."),
    },
    stuck: {
        icon: "fa-hourglass-half",
        label: _t("Your releases that sit too long"),
        help: _t("Longer in their stage than the stage allows."),
    },
    exceptions_to_decide: {
        icon: "fa-gavel",
        label: _t("Exceptions to decide"),
        help: _t("Requested by somebody else; a persona you hold has yet to decide."),
    },
    exceptions_expiring: {
        icon: "fa-clock-o",
        label: _t("Exceptions about to expire"),
        help: _t("In force, and over within 7 days: close the gap or ask anew."),
    },
    reviews_overdue: {
        icon: "fa-exclamation-triangle",
        label: _t("Reviews overdue"),
        help: _t("Until they are done, G3 is closed for the whole project."),
    },
    reviews_pending: {
        icon: "fa-search",
        label: _t("Reviews to write"),
        help: _t("Exceptions that owe a review after the event."),
    },
    g4_missed: {
        icon: "fa-exclamation-triangle",
        label: _t("Deployments not confirmed in time"),
        help: _t("They still run in production: roll back or take an exception."),
    },
    g4_awaiting: {
        icon: "fa-heartbeat",
        label: _t("Deployments awaiting G4"),
        help: _t("They run in production; their outcome is to be confirmed."),
    },
    incidents: {
        icon: "fa-fire",
        label: _t("Open incidents"),
        help: _t("A blocking one holds the promotions of its project."),
    },
    postmortems: {
        icon: "fa-file-text-o",
        label: _t("Post-mortems owed"),
        help: _t("Resolved incidents of high or critical severity."),
    },
    events: {
        icon: "fa-inbox",
        label: _t("Events that were not taken"),
        help: _t("Rejected, failed or orphaned in the chosen span."),
    },
    environments: {
        icon: "fa-shield",
        label: _t("Environments out of policy"),
        help: _t("A control failed its last check, or was never checked."),
    },
    ledger: {
        icon: "fa-chain-broken",
        label: _t("Faulty verifications of the ledger"),
        help: _t("A chain did not hold in the chosen span."),
    },
    findings: {
        icon: "fa-puzzle-piece",
        label: _t("Contradictions in the governance model"),
        help: _t("Errors of the consistency check that are still there."),
    },
    activities: {
        icon: "fa-check-square-o",
        label: _t("Your activities"),
        help: _t("Whatever was asked of you on releases, exceptions and environments."),
    },
};

export const TONES = {
    danger: _t("Urgent"),
    warning: _t("Soon"),
    info: _t("To do"),
};

export const DELIVERY = {
    deployment_frequency: {
        label: _t("Deployment frequency"),
        perUnit: _t("a week"),
        counted: _t("Changes deployed"),
        help: _t(
            "Production deployments that are over, whether they succeeded, failed or were rolled back, per week of the span. What takes a change back is none."
        ),
    },
    change_lead_time: {
        label: _t("Change lead time"),
        perUnit: "",
        counted: _t("Commits delivered"),
        help: _t(
            "Median, from the moment the project first heard of a commit until it first ran in production."
        ),
    },
    change_fail_rate: {
        label: _t("Change fail rate"),
        perUnit: "",
        counted: _t("Failed changes"),
        help: _t(
            "Share of the changes deployed that failed, were rolled back or have an incident. Each deployment counts once."
        ),
    },
    recovery_time: {
        label: _t("Failed deployment recovery time"),
        perUnit: "",
        counted: _t("Failures made good"),
        help: _t(
            "Median, from the first incident of a failed change, else from its deployment, until it was rolled back, its incidents were resolved, or the next deployment there succeeded."
        ),
    },
    rework_rate: {
        label: _t("Rework rate"),
        perUnit: "",
        counted: _t("Unplanned changes"),
        help: _t(
            "Share of the changes deployed that nobody had planned: made while an incident was open, after a change that had failed or was rolled back, or under an emergency."
        ),
    },
};

export const BANDS = {
    elite: _t("Elite"),
    high: _t("High"),
    medium: _t("Medium"),
    low: _t("Low"),
};

export const BAND_SOURCE = _t(
    "Bands of DORA: frequency and lead time of its report of 2024, fail rate and recovery of 2023. There are none for rework."
);

export const HELP = {
    stages: _t("Open releases by the stage they stand in."),
    gates: _t(
        "How open releases stand at each gate at this moment. Pass rate: of the gates that opened or failed in the span, those that passed without an exception. Time in gate: median from the revision until the gate opened."
    ),
    exceptions: _t("Exceptions in force at this moment, by the life they have left."),
    environments: _t(
        "Environments with a control that failed its last check, or was never checked."
    ),
    deployments: _t("The last ones anywhere, whatever the span."),
    kpis: _t(
        "From recorded facts, over the calendar months that the span touches, against the targets governance sets."
    ),
};
