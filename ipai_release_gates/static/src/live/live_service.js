import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";

export const NOTIFICATION = "ipai_release_gates/releases";
export const CHANNELS_CHANGED = "ipai_release_gates/channels";

/** What may have changed: ids of releases and of their projects; `null` says any of them. */
const ANYTHING = { releases: null, projects: null };

/** What two updates say together. */
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
 * One who wants to know: collects updates for a while and then tells all of them at once.
 *
 * The wait starts with the first update and is not prolonged by those after it, so who
 * is told keeps up with a steady stream. The next call waits for the one under way.
 */
class Listener {
    constructor(callback, { delay = 250, isBusy = () => false } = {}) {
        this.callback = callback;
        this.delay = delay;
        this.isBusy = isBusy;
        this.pending = null;
        this.timer = null;
        this.isTelling = false;
        this.isStopped = false;
    }

    add(update) {
        this.pending = merge(this.pending, update);
        this.schedule();
    }

    schedule() {
        if (this.timer === null && this.pending && !this.isTelling && !this.isStopped) {
            this.timer = browser.setTimeout(() => {
                this.timer = null;
                this.tell();
            }, this.delay);
        }
    }

    async tell() {
        // Nobody looks at a hidden page; it is told when it is shown again.
        if (document.visibilityState === "hidden") {
            return;
        }
        if (this.isBusy()) {
            this.schedule();
            return;
        }
        const update = this.pending;
        this.pending = null;
        this.isTelling = true;
        try {
            if ((await this.callback(update)) === false) {
                this.pending = merge(this.pending, update);
            }
        } catch (error) {
            // Shown as any error of a page; the next update is told all the same.
            Promise.reject(error);
        } finally {
            this.isTelling = false;
            this.schedule();
        }
    }

    stop() {
        this.isStopped = true;
        browser.clearTimeout(this.timer);
    }
}

/**
 * Tells which releases changed on the server, whoever changed them.
 *
 * The server says ids only; who listens reads again what it shows, with the rights of
 * the user. After a lost connection, anything may have changed.
 */
export const liveService = {
    dependencies: ["bus_service"],

    start(env, { bus_service: bus }) {
        const listeners = new Set();
        let isLost = false;

        const tell = (update) => {
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
                tell(ANYTHING);
            }
        };

        bus.subscribe(NOTIFICATION, tell);
        // The server decides again what this user may hear of.
        bus.subscribe(CHANNELS_CHANGED, () => {
            bus.forceUpdateChannels();
            tell(ANYTHING);
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
             * @param {(update: {releases: number[]|null, projects: number[]|null})
             *   => Promise|void} callback `null` says that any of them may have changed;
             *   it is called again if it returns `false`
             * @param {Object} [options]
             * @param {number} [options.delay] for how many ms updates are collected
             * @param {() => boolean} [options.isBusy] asked before; while it says so,
             *   the call is put off
             * @returns {() => void} ends it
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
