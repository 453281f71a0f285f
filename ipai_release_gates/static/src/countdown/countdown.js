import { Component, onMounted, onWillUnmount, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { formatDateTime, formatDuration } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const { DateTime } = luxon;
const MINUTE = 60 * 1000;
const DAY = 24 * 60 * MINUTE;

/** The time left until an instant, updated by the clock. */
export class Countdown extends Component {
    static template = "ipai_release_gates.Countdown";
    static props = { until: Object };

    setup() {
        this.state = useState({ now: DateTime.now() });
        onMounted(() => this.waitForNextMinute());
        onWillUnmount(() => browser.clearTimeout(this.timer));
    }

    get left() {
        return this.props.until.toMillis() - this.state.now.toMillis();
    }

    get isOver() {
        return this.left <= 0;
    }

    /** The last day has a sign and words, not a colour alone. */
    get isShort() {
        return !this.isOver && this.left <= DAY;
    }

    get text() {
        if (this.isOver) {
            return _t("ended");
        }
        return _t("%s left", formatDuration(this.left / 1000, true));
    }

    get instant() {
        return formatDateTime(this.props.until);
    }

    waitForNextMinute() {
        if (this.isOver) {
            return;
        }
        // The text changes when the current minute of the time left is over.
        this.timer = browser.setTimeout(
            () => {
                this.state.now = DateTime.now();
                this.waitForNextMinute();
            },
            (this.left % MINUTE) + 1
        );
    }
}

export class CountdownField extends Component {
    static template = "ipai_release_gates.CountdownField";
    static components = { Countdown };
    static props = { ...standardFieldProps };

    get until() {
        return this.props.record.data[this.props.name];
    }
}

export const countdownField = {
    component: CountdownField,
    displayName: _t("Life left"),
    supportedTypes: ["datetime"],
};

registry.category("fields").add("ipai_countdown", countdownField);
