import { expect, test } from "@odoo/hoot";
import { advanceTime, mockDate } from "@odoo/hoot-mock";
import { mountWithCleanup } from "@web/../tests/web_test_helpers";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { Countdown } from "@ipai_release_gates/countdown/countdown";

const { DateTime } = luxon;

defineMailModels();

async function mountCountdown(until) {
    mockDate("2026-01-31 12:00:00", 0);
    await mountWithCleanup(Countdown, {
        props: { until: DateTime.fromISO(`${until}Z`) },
    });
}

test("the countdown shows the time left, and the instant as a tooltip", async () => {
    await mountCountdown("2026-02-02T15:00:30");
    expect(".ipai_countdown").toHaveText("2 days, 3 hours left");
    expect(".ipai_countdown").toHaveAttribute("title", /2026/);
    expect(".ipai_countdown .fa-hourglass-end").toHaveCount(0);
});

test("the last day has a sign", async () => {
    await mountCountdown("2026-02-01T11:00:30");
    expect(".ipai_countdown").toHaveText("23 hours left");
    expect(".ipai_countdown .fa-hourglass-end").toHaveCount(1);
});

test("the countdown follows the clock to the end", async () => {
    await mountCountdown("2026-01-31T12:02:30");
    expect(".ipai_countdown").toHaveText("2 minutes left");
    await advanceTime(31 * 1000);
    expect(".ipai_countdown").toHaveText("1 minute left");
    await advanceTime(121 * 1000);
    expect(".ipai_countdown").toHaveText("ended");
});
