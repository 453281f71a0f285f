import { Component, onWillRender } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

import { Countdown } from "../countdown/countdown";
import { Reason } from "../reason/reason";
import { CONDITION_STATES, GATE_STATUSES } from "../status";

const { DateTime } = luxon;
const OPEN_STATUSES = ["passed", "bypassed"];
const instant = (text) => text && DateTime.fromISO(text);

/** Every gate of a release, with its conditions as a checklist and links to the facts. */
export class GatePanelField extends Component {
    static template = "ipai_release_gates.GatePanelField";
    static components = { Countdown, Reason };
    static props = { ...standardFieldProps };

    setup() {
        this.actionService = useService("action");
        this.news = "";
        let former = null;
        onWillRender(() => {
            const { resId, data } = this.props.record;
            const now = { resId, gates: data[this.props.name] || [] };
            if (former && former.resId === resId && former.gates !== now.gates) {
                this.news = this.changesSince(former.gates, now.gates) || this.news;
            }
            former = now;
        });
    }

    get gates() {
        const gates = this.props.record.data[this.props.name] || [];
        const steps = Object.fromEntries(
            (this.props.record.data.next_steps || []).map((step) => [
                `${step.gate}:${step.code}`,
                step,
            ])
        );
        const next = gates.find((gate) => !OPEN_STATUSES.includes(gate.status));
        return gates.map((gate) => {
            const unmet = gate.conditions.filter(
                (condition) => condition.state === "unmet"
            );
            return {
                ...gate,
                ...GATE_STATUSES[gate.status],
                // Gates that are passed or come later stay folded.
                unfolded: gate === next || gate.status === "failed",
                title: `${gate.code} ${gate.name}`,
                tally: _t("%(met)s of %(all)s met", {
                    met: gate.conditions.length - unmet.length,
                    all: gate.conditions.length,
                }),
                conditions: gate.conditions.map((condition) => ({
                    ...condition,
                    ...CONDITION_STATES[condition.state],
                    waivedUntil: instant(condition.waived_until),
                    freshUntil: instant(condition.fresh_until),
                    links: this.linksTo(condition.facts),
                    ...(condition.state === "unmet"
                        ? this.stepsFor(steps, gate, condition)
                        : {}),
                })),
            };
        });
    }

    /** The changes of the gates as a text, for screen readers. */
    changesSince(former, gates) {
        const statuses = Object.fromEntries(
            former.map((gate) => [gate.code, gate.status])
        );
        return gates
            .filter(({ code, status }) => code in statuses && statuses[code] !== status)
            .map(({ code, name, status }) =>
                _t("%(code)s %(name)s: %(status)s", {
                    code,
                    name,
                    status: GATE_STATUSES[status].label,
                })
            )
            .join(". ");
    }

    /** The next steps that this user can take on a condition, an exception included. */
    stepsFor(steps, gate, condition) {
        const step = steps[`${gate.code}:${condition.code}`];
        return {
            step: step?.label ? step : null,
            exception: step?.exception?.label ? step.exception : null,
        };
    }

    /** Links to facts, of the kinds that this user may read. */
    linksTo(facts) {
        const known = this.props.record.data.fact_links || {};
        const links = {};
        for (const { kind, id } of facts) {
            const fact = known[kind];
            if (fact) {
                links[kind] = links[kind] || { kind, ...fact, ids: [] };
                links[kind].ids.push(id);
            }
        }
        return Object.values(links).map((link) => ({
            ...link,
            label: link.ids.length > 1 ? `${link.many} (${link.ids.length})` : link.one,
        }));
    }

    openFacts({ model, many, ids }) {
        const single = ids.length === 1;
        return this.actionService.doAction({
            type: "ir.actions.act_window",
            name: many,
            res_model: model,
            res_id: single ? ids[0] : false,
            domain: [["id", "in", ids]],
            views: single
                ? [[false, "form"]]
                : [
                      [false, "list"],
                      [false, "form"],
                  ],
        });
    }

    async takeStep(step) {
        const { record } = this.props;
        // Saves the form first, as every button of a form does.
        if ((await record.isDirty()) && !(await record.save())) {
            return;
        }
        await this.actionService.doAction(step.action, {
            additionalContext: step.context,
            onClose: () => record.load(),
        });
    }
}

export const gatePanelField = {
    component: GatePanelField,
    displayName: _t("Gates with their conditions"),
    supportedTypes: ["json"],
    fieldDependencies: [
        { name: "next_steps", type: "json" },
        { name: "fact_links", type: "json" },
    ],
};

registry.category("fields").add("ipai_gate_panel", gatePanelField);
