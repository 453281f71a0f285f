import { describe, expect, test } from "@odoo/hoot";
import { advanceTime, tick } from "@odoo/hoot-mock";
import { EventBus } from "@odoo/owl";
import {
    CHANNELS_CHANGED,
    NOTIFICATION,
    liveService,
} from "@ipai_release_gates/live/live_service";

describe.current.tags("headless");

const EVERYTHING = { releases: null, projects: null };

/** The service on a bus whose notifications the test sends. */
function startLive() {
    const events = new EventBus();
    const callbacks = {};
    const bus = {
        subscribe: (type, callback) => {
            callbacks[type] = callback;
        },
        addEventListener: events.addEventListener.bind(events),
        forceUpdateChannels: () => expect.step("subscribed again"),
        start: () => {},
    };
    return {
        live: liveService.start({}, { bus_service: bus }),
        hear: (...releases) => callbacks[NOTIFICATION]({ releases, projects: [7] }),
        hearAnything: () => callbacks[NOTIFICATION](EVERYTHING),
        changeChannels: () => callbacks[CHANNELS_CHANGED]({}),
        happen: (type) => events.trigger(type),
    };
}

const step = ({ releases }) => expect.step(releases ? releases.join(" ") : "anything");

test("updates within the delay are delivered together", async () => {
    const { live, hear } = startLive();
    live.listen(step);
    hear(1);
    hear(2, 3);
    hear(1);
    await advanceTime(240);
    expect.verifySteps([]);
    await advanceTime(20);
    expect.verifySteps(["1 2 3"]);
    await advanceTime(1000);
    expect.verifySteps([]);
});

test("a steady stream does not postpone the delivery", async () => {
    const { live, hear } = startLive();
    live.listen(step, { delay: 300 });
    for (let id = 1; id <= 7; id++) {
        hear(id);
        await advanceTime(100);
    }
    expect.verifySteps(["1 2 3", "4 5 6"]);
});

test("an update without ids replaces those with ids", async () => {
    const { live, hear, hearAnything } = startLive();
    live.listen(step);
    hear(1);
    hearAnything();
    hear(2);
    await advanceTime(300);
    expect.verifySteps(["anything"]);
});

test("a busy listener gets its update later", async () => {
    const { live, hear } = startLive();
    let isBusy = true;
    live.listen(step, { isBusy: () => isBusy });
    hear(1);
    await advanceTime(1000);
    expect.verifySteps([]);
    isBusy = false;
    await advanceTime(300);
    expect.verifySteps(["1"]);
});

test("an update that was not shown is delivered again, with newer ones", async () => {
    const { live, hear } = startLive();
    let canShow = false;
    live.listen((update) => {
        step(update);
        return canShow;
    });
    hear(1);
    await advanceTime(300);
    expect.verifySteps(["1"]);
    canShow = true;
    hear(2);
    await advanceTime(300);
    expect.verifySteps(["1 2"]);
    await advanceTime(1000);
    expect.verifySteps([]);
});

test("a call waits until the one before has ended", async () => {
    const { live, hear } = startLive();
    let finish;
    live.listen((update) => {
        step(update);
        return new Promise((resolve) => {
            finish = resolve;
        });
    });
    hear(1);
    await advanceTime(300);
    hear(2);
    await advanceTime(1000);
    expect.verifySteps(["1"]);
    finish();
    await tick();
    await advanceTime(300);
    expect.verifySteps(["2"]);
});

test("a restored connection delivers an update without ids", async () => {
    const { live, happen } = startLive();
    live.listen(step);
    happen("BUS:CONNECT");
    await advanceTime(300);
    expect.verifySteps([]);
    happen("BUS:RECONNECTING");
    happen("BUS:RECONNECT");
    await advanceTime(300);
    expect.verifySteps(["anything"]);
    happen("BUS:DISCONNECT");
    happen("BUS:CONNECT");
    await advanceTime(300);
    expect.verifySteps(["anything"]);
});

test("a change of the channels subscribes again", async () => {
    const { live, changeChannels } = startLive();
    live.listen(step);
    changeChannels();
    await advanceTime(300);
    expect.verifySteps(["subscribed again", "anything"]);
});

test("a stopped listener gets no update", async () => {
    const { live, hear } = startLive();
    const stop = live.listen(step);
    hear(1);
    stop();
    hear(2);
    await advanceTime(300);
    expect.verifySteps([]);
});
