import { RottingKanbanController } from "@mail/js/rotting_mixin/rotting_kanban_controller";
import { RottingKanbanRenderer } from "@mail/js/rotting_mixin/rotting_kanban_renderer";
import { rottingKanbanView } from "@mail/js/rotting_mixin/rotting_kanban_view";
import { useExternalListener } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";

import { useReleaseUpdates } from "../live/live_hook";
import { mustLoadAll, refreshList } from "../live/refresh_list";

/** A board that follows what happens to releases. */
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
        // Of the window itself: to capture would be to hear of every field, too.
        useExternalListener(window, "blur", release);
        useReleaseUpdates(({ releases }) => this.follow(releases), {
            isBusy: () => this.isBusy,
        });
    }

    /** Whether something is under way that new cards would get in the way of. */
    get isBusy() {
        return (
            !this.model.isReady ||
            // A card that is drawn anew is neither clicked nor dragged.
            this.isPressed ||
            // A column that is drawn anew does not keep what is typed there.
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

    /** A card that was drawn anew has lost the focus it had. */
    async focusAgain(release) {
        // After the card is drawn.
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

/** Cards lie still for whoever cannot move a release at all. */
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
