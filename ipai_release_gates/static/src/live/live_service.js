import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";

export const NOTIFICATION = "ipai_release_gates/releases";
export const CHANNELS_CHANGED = "ipai_release_gates/channels";

/** An update without ids: `null` means that any release and project may have changed. */
const ANYTHING = { releases: null, projects: null };

/** One update with the ids of both; the first may be missing. */
function merge(one, other) {
    const both = (a, b) => (a && b ? [...new Set([...a, ...b])] : null);
    return one
        ? {
              releases: both(one.releases, other.releases),
              projects: both(one.projects, other.projects),
          }
        : other;
}

/**
 * Collects updates for some time, and then passes all of them to one callback.
 *
 * The time starts with the first update and later updates do not extend it, so the
 * callback keeps up with a steady stream. A call waits until the one before has ended.
 */
class Listener {
    constructor(callback, { delay = 250, isBusy = () => false } = {}) {
        this.callback = callback;
        this.delay = delay;
        this.isBusy = isBusy;
        this.pending = null;
        this.timer = null;
        this.isCalling = false;
        this.isStopped = false;
    }

    add(update) {
        this.pending = merge(this.pending, update);
        this.schedule();
    }

    schedule() {
        if (this.timer === null && this.pending && !this.isCalling && !this.isStopped) {
            this.timer = browser.setTimeout(() => {
                this.timer = null;
                this.deliver();
            }, this.delay);
        }
    }

    async deliver() {
        // A hidden page gets its updates when it is shown again.
        if (document.visibilityState === "hidden") {
            return;
        }
        if (this.isBusy()) {
            this.schedule();
            return;
        }
        const update = this.pending;
        this.pending = null;
        this.isCalling = true;
        try {
            if ((await this.callback(update)) === false) {
                this.pending = merge(this.pending, update);
            }
        } catch (error) {
            // The page shows the error; the next update is delivered all the same.
            Promise.reject(error);
        } finally {
            this.isCalling = false;
            this.schedule();
        }
    }

    stop() {
        this.isStopped = true;
        browser.clearTimeout(this.timer);
    }
}

/**
 * Notifies components of releases that changed on the server.
 *
 * The server sends ids only. A component reads the records again, with the rights of
 * the user. After a lost connection, the update is `ANYTHING`.
 */
export const liveService = {
    dependencies: ["bus_service"],

    start(env, { bus_service: bus }) {
        const listeners = new Set();
        let isLost = false;

        const notify = (update) => {
            for (const listener of listeners) {
                listener.add(update);
            }
        };
        const lost = () => {
            isLost = true;
        };
        const found = () => {
            if (isLost) {
                isLost = false;
                notify(ANYTHING);
            }
        };

        bus.subscribe(NOTIFICATION, notify);
        // The server decides again which channels this user gets.
        bus.subscribe(CHANNELS_CHANGED, () => {
            bus.forceUpdateChannels();
            notify(ANYTHING);
        });
        bus.addEventListener("BUS:DISCONNECT", lost);
        bus.addEventListener("BUS:RECONNECTING", lost);
        bus.addEventListener("BUS:RECONNECT", () => {
            isLost = true;
            found();
        });
        bus.addEventListener("BUS:CONNECT", found);
        browser.addEventListener("offline", lost);
        document.addEventListener("visibilitychange", () => {
            if (document.visibilityState === "visible") {
                for (const listener of listeners) {
                    listener.schedule();
                }
            }
        });
        bus.start();

        return {
            /**
             * Call back when releases changed on the server.
             *
             * @param {(update: {releases: number[]|null, projects: number[]|null})
             *   => Promise|void} callback gets ids; `null` means that any of them may
             *   have changed. When it returns `false`, it is called again
             * @param {Object} [options]
             * @param {number} [options.delay] how long updates are collected, in ms
             * @param {() => boolean} [options.isBusy] while it returns true, the call
             *   is postponed
             * @returns {() => void} stops the calls
             */
            listen(callback, options) {
                const listener = new Listener(callback, options);
                listeners.add(listener);
                return () => {
                    listener.stop();
                    listeners.delete(listener);
                };
            },
        };
    },
};

registry.category("services").add("ipai_release_gates.live", liveService);
