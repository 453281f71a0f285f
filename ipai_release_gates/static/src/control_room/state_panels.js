import { Component, useEnv } from "@odoo/owl";
import { deserializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

import { GATE_STATUSES } from "../status";
import { NO_DATA, format } from "./format";
import { Bars, Figure, Nothing, Panel } from "./parts";
import { HELP } from "./words";

const CATEGORIES = {
    dev: _t("Development"),
    staging: _t("Staging"),
    production: _t("Production"),
};

/** Open releases by stage. */
export class StagesPanel extends Component {
    static template = "ipai_release_gates.ControlRoomStages";
    static components = { Bars, Figure, Nothing, Panel };
    static props = { stages: Object };
    help = HELP.stages;

    get rows() {
        return this.props.stages.stages.map((stage) => ({
            key: stage.id,
            name: stage.name,
            figure: stage,
            tone: "plain",
            more: {
                icon: "fa-hourglass-half",
                figure: stage.stuck,
                title: _t("%s, too long in the stage", stage.name),
                text: _t("%s too long", stage.stuck.count),
            },
        }));
    }
}

/** How releases stand at each gate, and how gates were passed in the span. */
export class GatesPanel extends Component {
    static template = "ipai_release_gates.ControlRoomGates";
    static components = { Figure, Nothing, Panel };
    static props = { gates: Object };
    help = HELP.gates;
    noData = NO_DATA;

    get gates() {
        return this.props.gates.rows.map((gate) => ({
            ...gate,
            title: `${gate.code} ${gate.name}`,
            marks: Object.entries(GATE_STATUSES).map(([status, { icon, label }]) => ({
                status,
                icon,
                label,
                figure: gate.statuses[status],
                title: `${gate.code}: ${label}`,
            })),
            passed:
                gate.pass_rate.value === null
                    ? NO_DATA
                    : _t("%(rate)s of %(of)s", {
                          rate: format(gate.pass_rate.value, "share"),
                          of: gate.pass_rate.of,
                      }),
            time: format(gate.hours.value, "hours"),
        }));
    }
}

/** Exceptions in force by the life they have left. */
export class ExceptionsPanel extends Component {
    static template = "ipai_release_gates.ControlRoomExceptions";
    static components = { Bars, Nothing, Panel };
    static props = { exceptions: Object };
    help = HELP.exceptions;

    get rows() {
        return this.props.exceptions.buckets.map((bucket) => ({
            key: bucket.hours_from,
            name: this.span(bucket),
            figure: bucket,
            tone:
                bucket.hours_from === 0 ? "bad" : bucket.hours_to ? "waived" : "plain",
        }));
    }

    span({ hours_from: from, hours_to: to }) {
        if (!from) {
            return _t("Less than %s h", to);
        }
        if (!to) {
            return _t("More than %s days", from / 24);
        }
        return _t("%(from)s to %(to)s days", { from: from / 24, to: to / 24 });
    }
}

/** Environments with a control that does not hold. */
export class EnvironmentsPanel extends Component {
    static template = "ipai_release_gates.ControlRoomEnvironments";
    static components = { Figure, Nothing, Panel };
    static props = { environments: Object };
    help = HELP.environments;

    setup() {
        this.openRecord = useEnv().openRecord;
    }

    get rows() {
        return this.props.environments.rows.map((row) => ({
            ...row,
            place: `${row.project} · ${CATEGORIES[row.category]}`,
            text:
                row.unmet === 1
                    ? _t("1 control open")
                    : _t("%s controls open", row.unmet),
        }));
    }

    get summary() {
        const { out, total } = this.props.environments;
        return _t("%(out)s of %(total)s", { out: out.count, total: total.count });
    }
}

const OUTCOMES = {
    in_progress: { icon: "fa-adjust", tone: "info" },
    succeeded: { icon: "fa-check", tone: "good" },
    failed: { icon: "fa-times", tone: "bad" },
    rolled_back: { icon: "fa-undo", tone: "bad" },
};

/** The last deployments, with what came of them. */
export class DeploymentsPanel extends Component {
    static template = "ipai_release_gates.ControlRoomDeployments";
    static components = { Nothing, Panel };
    static props = { deployments: Object };
    help = HELP.deployments;

    setup() {
        this.openRecord = useEnv().openRecord;
    }

    get rows() {
        return this.props.deployments.rows.map((row) => {
            const at = deserializeDateTime(row.deployed_at);
            return {
                ...row,
                ...OUTCOMES[row.status],
                place: `${row.environment} · ${CATEGORIES[row.category]}`,
                ago: at.toRelative(),
                at: at.toLocaleString(luxon.DateTime.DATETIME_MED),
                gate: this.gate(row),
            };
        });
    }

    gate({ g4_status: status }) {
        if (!status) {
            return null;
        }
        const { icon, label } = GATE_STATUSES[status];
        return { icon, text: `G4: ${label}`, status };
    }
}

registry
    .category("ipai_control_room")
    .add("stages", { Component: StagesPanel, prop: "stages" })
    .add("gates", { Component: GatesPanel, prop: "gates" })
    .add("exceptions", { Component: ExceptionsPanel, prop: "exceptions" })
    .add("environments", { Component: EnvironmentsPanel, prop: "environments" })
    .add("deployments", { Component: DeploymentsPanel, prop: "deployments" });
