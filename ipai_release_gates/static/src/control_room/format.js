/** Numbers as people read them. What was counted from nothing is "no data", never a number. */

import { formatDate, deserializeDate } from "@web/core/l10n/dates";
import { localization } from "@web/core/l10n/localization";
import { _t } from "@web/core/l10n/translation";

export const NO_DATA = _t("No data");

/** At most so many decimals, without zeros at the end. */
export function number(value, decimals = 1) {
    const text = String(Number(value.toFixed(decimals)));
    return text.replace(".", localization.decimalPoint || ".");
}

/** Hours as minutes, hours or days, whichever is read best. */
export function duration(hours) {
    if (hours * 60 < 1) {
        return _t("< 1 min");
    }
    if (hours < 1) {
        return _t("%s min", number(hours * 60, 0));
    }
    if (hours < 48) {
        return _t("%s h", number(hours));
    }
    return _t("%s days", number(hours / 24));
}

/**
 * A value in its unit.
 *
 * @param {number|null} value
 * @param {"share"|"hours"|"number"} unit
 */
export function format(value, unit) {
    if (value === null || value === undefined) {
        return NO_DATA;
    }
    if (unit === "share") {
        return _t("%s %", number(value * 100));
    }
    return unit === "hours" ? duration(value) : number(value);
}

/** A day in a few letters, of an ISO date. */
export function day(iso) {
    return formatDate(deserializeDate(iso), { format: "d MMM" });
}

/**
 * How a value compares with the one before.
 *
 * @returns {{text: string, tone: "good"|"bad"|"same", icon: string}|null}
 */
export function change(value, former, unit, higherIsBetter) {
    if (value === null || former === null) {
        return null;
    }
    if (value === former) {
        return { text: _t("as before"), tone: "same", icon: "fa-minus" };
    }
    const isUp = value > former;
    const isBetter = isUp === higherIsBetter;
    return {
        text: isBetter
            ? _t("better, was %s", format(former, unit))
            : _t("worse, was %s", format(former, unit)),
        tone: isBetter ? "good" : "bad",
        icon: isUp ? "fa-arrow-up" : "fa-arrow-down",
    };
}
