import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

import { change, format } from "./format";
import { Figure, Help, Panel } from "./parts";
import { TrendChart } from "./trend_chart";
import { BANDS, BAND_SOURCE, DELIVERY } from "./words";

const ORDER = Object.keys(BANDS);

/** The five figures of delivery, each with its band, its trend and its records. */
export class DeliveryPanel extends Component {
    static template = "ipai_release_gates.ControlRoomDelivery";
    static components = { Figure, Help, Panel, TrendChart };
    static props = { delivery: Object };

    get help() {
        return BAND_SOURCE;
    }

    get cards() {
        return this.props.delivery.figures.map((figure) => {
            const words = DELIVERY[figure.key];
            const hasValue = figure.value !== null;
            const value = format(figure.value, figure.unit);
            return {
                ...figure,
                figure,
                label: words.label,
                help: this.explain(words, figure),
                hasValue,
                text: hasValue && words.perUnit ? `${value} ${words.perUnit}` : value,
                counted: this.counted(figure, words),
                band: figure.band && { key: figure.band, label: BANDS[figure.band] },
                steps: this.steps(figure),
                change: change(
                    figure.value,
                    figure.former,
                    figure.unit,
                    figure.higher_is_better
                ),
                targetText: this.target(figure),
                asBars: figure.key === "deployment_frequency",
            };
        });
    }

    /** What was counted, out of how many where it is a part. */
    counted(figure, words) {
        if (figure.value === null && !figure.of) {
            return _t("Nothing was deployed to production in this span.");
        }
        const { count, of } = figure;
        return count === of
            ? _t("%(what)s: %(count)s", { what: words.counted, count })
            : _t("%(what)s: %(count)s of %(of)s", { what: words.counted, count, of });
    }

    explain(words, { thresholds, unit, higher_is_better: isUp }) {
        if (!thresholds.length) {
            return words.help;
        }
        const limits = thresholds.map((limit, place) =>
            _t("%(band)s: %(sign)s %(limit)s", {
                band: BANDS[ORDER[place]],
                sign: isUp ? "≥" : "≤",
                limit: format(limit, unit),
            })
        );
        return `${words.help} ${limits.join(", ")}.`;
    }

    /** The scale of bands from low to elite, with the one that is reached. */
    steps(figure) {
        if (!figure.thresholds.length || !figure.band) {
            return [];
        }
        const reached = ORDER.length - ORDER.indexOf(figure.band);
        return ORDER.map((_band, place) => place < reached);
    }

    target({ target, target_state: state, unit }) {
        if (target === null) {
            return "";
        }
        const value = format(target, unit);
        if (!state) {
            return _t("Target %s", value);
        }
        return state === "met"
            ? _t("Target %s: met", value)
            : _t("Target %s: missed", value);
    }
}

registry
    .category("ipai_control_room")
    .add("delivery", { Component: DeliveryPanel, prop: "delivery" });
