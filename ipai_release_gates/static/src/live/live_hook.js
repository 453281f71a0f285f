import { onMounted, onWillUnmount } from "@odoo/owl";
import { useService } from "@web/core/utils/hooks";

/**
 * While the component is on screen, call back when releases changed on the server.
 *
 * @param {(update: {releases: number[]|null, projects: number[]|null}) => Promise|void}
 *   callback gets the ids of what may have changed; `null` says any of them. Returning
 *   `false` it is called again after the delay
 * @param {Object} [options]
 * @param {number} [options.delay] for how many ms updates are collected, 250 by default
 * @param {() => boolean} [options.isBusy] while it says so, the call is put off
 */
export function useReleaseUpdates(callback, options) {
    const live = useService("ipai_release_gates.live");
    let stop = null;
    onMounted(() => {
        stop = live.listen(callback, options);
    });
    onWillUnmount(() => stop?.());
}
