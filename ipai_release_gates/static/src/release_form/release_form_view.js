import { onWillUnmount } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useBus, useService } from "@web/core/utils/hooks";
import { FormController } from "@web/views/form/form_controller";
import { formView } from "@web/views/form/form_view";

import { useReleaseUpdates } from "../live/live_hook";

/** The fields by which two states of a release differ: a new fact changes the first, an
 *  edit the second. */
const VERSION = ["fact_version", "write_date"];

/** A form that shows changes of its release, and never overwrites what the user types. */
export class ReleaseFormController extends FormController {
    setup() {
        super.setup();
        this.liveOrm = useService("orm");
        this.notification = useService("notification");
        this.closeNotice = null;
        // True while a field holds a value that the record has not got yet. To ask the
        // record would disturb the typing, because fields trim the value they pass on.
        this.isTyping = false;
        useBus(this.model.bus, "FIELD_IS_DIRTY", ({ detail }) => {
            this.isTyping = detail;
        });
        useReleaseUpdates(({ releases }) => this.follow(releases));
        onWillUnmount(() => this.withdrawNotice());
    }

    async follow(releases) {
        const { root } = this.model;
        if (!root.resId || (releases && !releases.includes(root.resId))) {
            return;
        }
        // Waits for a save in progress, which knows the stored values.
        await this.model.mutex.getUnlockedDef();
        if (await this.isUpToDate(root)) {
            return;
        }
        if (root.dirty || this.isTyping) {
            this.giveNotice();
        } else if (this.model.root === root) {
            await root.load();
        }
    }

    /** The form also gets updates of what it saved itself. */
    async isUpToDate(root) {
        const { resId } = root;
        const [now] = await this.liveOrm.silent.webRead("ipai.release", [resId], {
            specification: Object.fromEntries(VERSION.map((name) => [name, {}])),
        });
        if (!now || this.model.root !== root || root.resId !== resId) {
            return true;
        }
        const shown = this.shownVersion(root);
        return VERSION.every((name) => now[name] === shown[name]);
    }

    shownVersion({ data }) {
        return {
            fact_version: data.fact_version,
            write_date:
                data.write_date &&
                data.write_date.toUTC().toFormat("yyyy-MM-dd HH:mm:ss"),
        };
    }

    giveNotice() {
        if (this.closeNotice) {
            return;
        }
        this.closeNotice = this.notification.add(
            _t("This release changed meanwhile. What you typed is not saved yet."),
            {
                type: "info",
                sticky: true,
                className: "ipai_changed_meanwhile",
                onClose: () => {
                    this.closeNotice = null;
                },
                buttons: [
                    {
                        name: _t("Reload"),
                        onClick: async () => {
                            this.withdrawNotice();
                            await this.model.root.discard();
                            await this.model.root.load();
                        },
                    },
                ],
            }
        );
    }

    withdrawNotice() {
        this.closeNotice?.();
        this.closeNotice = null;
    }

    async onRecordSaved(record, changes) {
        this.withdrawNotice();
        return super.onRecordSaved(record, changes);
    }

    async discard() {
        const wasNoticed = Boolean(this.closeNotice);
        this.withdrawNotice();
        await super.discard();
        if (wasNoticed && this.model.root.resId) {
            await this.model.root.load();
        }
    }
}

registry.category("views").add("ipai_release_form", {
    ...formView,
    Controller: ReleaseFormController,
});
