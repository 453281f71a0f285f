import { onMounted, onWillUnmount } from "@odoo/owl";
import { useService } from "@web/core/utils/hooks";

/**
 * Call back when releases changed on the server, while the component is mounted.
 *
 * @param {(update: {releases: number[]|null, projects: number[]|null}) => Promise|void}
 *   callback gets ids; `null` means that any of them may have changed. When it returns
 *   `false`, it is called again after the delay
 * @param {Object} [options]
 * @param {number} [options.delay] how long updates are collected, in ms; 250 by default
 * @param {() => boolean} [options.isBusy] while it returns true, the call is postponed
 */
export function useReleaseUpdates(callback, options) {
    const live = useService("ipai_release_gates.live");
    let stop = null;
    onMounted(() => {
        stop = live.listen(callback, options);
    });
    onWillUnmount(() => stop?.());
}
