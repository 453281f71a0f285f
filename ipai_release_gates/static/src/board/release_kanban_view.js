import { RottingKanbanController } from "@mail/js/rotting_mixin/rotting_kanban_controller";
import { RottingKanbanRenderer } from "@mail/js/rotting_mixin/rotting_kanban_renderer";
import { rottingKanbanView } from "@mail/js/rotting_mixin/rotting_kanban_view";
import { useExternalListener } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";

import { useReleaseUpdates } from "../live/live_hook";
import { mustLoadAll, refreshList } from "../live/refresh_list";

/** A kanban board that shows changes of releases as they happen. */
export class ReleaseKanbanController extends RottingKanbanController {
    setup() {
        super.setup();
        this.orm = useService("orm");
        this.isPressed = false;
        const press = () => (this.isPressed = true);
        const release = () => (this.isPressed = false);
        const capture = { capture: true };
        useExternalListener(window, "pointerdown", press, capture);
        useExternalListener(window, "pointerup", release, capture);
        useExternalListener(window, "pointercancel", release, capture);
        // Events of the window itself; with `capture`, those of every field would come too.
        useExternalListener(window, "blur", release);
        useReleaseUpdates(({ releases }) => this.follow(releases), {
            isBusy: () => this.isBusy,
        });
    }

    /** Whether the user does something that new cards would disturb. */
    get isBusy() {
        return (
            !this.model.isReady ||
            // A card that is rendered again loses a click or a drag.
            this.isPressed ||
            // A column that is rendered again loses the text typed there.
            Boolean(this.quickCreateState.groupId && mustLoadAll(this.model, null)) ||
            Boolean(this.rootRef.el?.querySelector(".o_dragged"))
        );
    }

    async follow(releases) {
        const focused = this.focusedRelease;
        const isShown = await refreshList(
            this.model,
            this.orm,
            releases,
            () => this.isBusy
        );
        if (!isShown) {
            return false;
        }
        const { root } = this.model;
        if (root.isGrouped && this.progressBarState) {
            this.progressBarState.updateCounts();
        }
        this.model.notify();
        if (focused) {
            this.focusAgain(focused);
        }
        return true;
    }

    get cardIds() {
        return this.model.root.records.map(({ id, resId }) => ({ id, resId }));
    }

    get focusedRelease() {
        const card = document.activeElement?.closest?.(".o_kanban_record[data-id]");
        return this.cardIds.find(({ id }) => id === card?.dataset.id)?.resId;
    }

    /** Give the focus back to a card that was rendered again. */
    async focusAgain(release) {
        // After the rendering.
        await new Promise((resolve) => browser.requestAnimationFrame(resolve));
        if (document.activeElement && document.activeElement !== document.body) {
            return;
        }
        const card = this.cardIds.find(({ resId }) => resId === release);
        this.rootRef.el
            ?.querySelector(`.o_kanban_record[data-id="${card?.id}"]`)
            ?.focus();
    }
}

/** Users who may not move any release cannot drag cards. */
export class ReleaseKanbanRenderer extends RottingKanbanRenderer {
    get canResequenceRecords() {
        return super.canResequenceRecords && this.props.archInfo.activeActions.edit;
    }
}

registry.category("views").add("ipai_release_kanban", {
    ...rottingKanbanView,
    Controller: ReleaseKanbanController,
    Renderer: ReleaseKanbanRenderer,
});
