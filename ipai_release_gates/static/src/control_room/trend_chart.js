import { Component, onWillStart, useEffect, useRef } from "@odoo/owl";
import { loadBundle } from "@web/core/assets";
import { _t } from "@web/core/l10n/translation";

import { NO_DATA, day, format } from "./format";

/** A figure over time; without a value there is a gap, not a nought. */
export class TrendChart extends Component {
    static template = "ipai_release_gates.ControlRoomTrend";
    static props = {
        title: String,
        unit: String,
        points: Array,
        target: { type: [Number, { value: null }], optional: true },
        asBars: { type: Boolean, optional: true },
    };
    static defaultProps = { asBars: false, target: null };

    setup() {
        this.canvas = useRef("canvas");
        onWillStart(() => loadBundle("web.chartjs_lib"));
        useEffect(
            () => {
                const chart = this.draw();
                return () => chart?.destroy();
            },
            () => [JSON.stringify(this.props.points), this.props.target]
        );
    }

    get hasData() {
        return this.props.points.some((point) => point.value !== null);
    }

    /** The same figures in words, for a reader who does not see the chart. */
    get words() {
        const points = this.props.points
            .filter((point) => point.value !== null)
            .map(
                (point) => `${day(point.from)}: ${format(point.value, this.props.unit)}`
            );
        return _t("%(title)s over time. %(points)s", {
            title: this.props.title,
            points: points.join("; ") || NO_DATA,
        });
    }

    draw() {
        const canvas = this.canvas.el;
        if (!canvas) {
            return null;
        }
        const style = window.getComputedStyle(canvas);
        const tone = style.getPropertyValue("--ipai-room-line").trim();
        const faint = style.getPropertyValue("--ipai-room-faint").trim();
        const labels = this.props.points.map((point) => day(point.from));
        const datasets = [
            {
                data: this.props.points.map((point) => point.value),
                borderColor: tone,
                backgroundColor: this.props.asBars ? tone : faint,
                borderWidth: this.props.asBars ? 0 : 2,
                borderRadius: 2,
                fill: !this.props.asBars,
                pointRadius: 2,
                pointBackgroundColor: tone,
                spanGaps: true,
                cubicInterpolationMode: "monotone",
            },
        ];
        if (this.props.target !== null && this.props.target !== undefined) {
            datasets.push({
                type: "line",
                data: labels.map(() => this.props.target),
                borderColor: style.color,
                borderWidth: 1,
                borderDash: [4, 3],
                pointRadius: 0,
                isTarget: true,
            });
        }
        const isCalm = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
        return new window.Chart(canvas, {
            type: this.props.asBars ? "bar" : "line",
            data: { labels, datasets },
            options: {
                animation: isCalm ? false : { duration: 250 },
                maintainAspectRatio: false,
                layout: { padding: 2 },
                interaction: { intersect: false, mode: "index" },
                scales: {
                    x: { display: false },
                    y: { display: false, beginAtZero: true },
                },
                plugins: {
                    legend: { display: false },
                    tooltip: {
                        displayColors: false,
                        callbacks: {
                            label: (item) => {
                                const value = format(item.raw, this.props.unit);
                                return item.dataset.isTarget
                                    ? _t("Target: %s", value)
                                    : value;
                            },
                        },
                    },
                },
            },
        });
    }
}
