import { Component, useEnv } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

import { change, format } from "./format";
import { Nothing, Panel } from "./parts";
import { HELP } from "./words";

const STATES = {
    met: { icon: "fa-check", tone: "good", label: _t("met") },
    missed: { icon: "fa-times", tone: "bad", label: _t("missed") },
};

/** The KPIs of each persona against what governance expects. */
export class KpisPanel extends Component {
    static template = "ipai_release_gates.ControlRoomKpis";
    static components = { Nothing, Panel };
    static props = { kpis: Object };
    help = HELP.kpis;

    setup() {
        this.openKpi = useEnv().openKpi;
    }

    get panels() {
        return this.props.kpis.panels.map((panel) => ({
            ...panel,
            kpis: panel.kpis.map((kpi) => ({
                ...kpi,
                text: format(kpi.value, kpi.unit),
                label: `${kpi.name}: ${format(kpi.value, kpi.unit)}`,
                goal: kpi.target === null ? "" : format(kpi.target, kpi.unit),
                state: STATES[kpi.target_state],
                change: change(kpi.value, kpi.former, kpi.unit, kpi.higher_is_better),
            })),
        }));
    }

    get hasData() {
        return this.props.kpis.panels.some((panel) =>
            panel.kpis.some((kpi) => kpi.count)
        );
    }
}

registry
    .category("ipai_control_room")
    .add("kpis", { Component: KpisPanel, prop: "kpis" });
