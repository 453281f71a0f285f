import { RottingKanbanRenderer } from "@mail/js/rotting_mixin/rotting_kanban_renderer";
import { rottingKanbanView } from "@mail/js/rotting_mixin/rotting_kanban_view";
import { registry } from "@web/core/registry";

/** Cards lie still for whoever cannot move a release at all. */
export class ReleaseKanbanRenderer extends RottingKanbanRenderer {
    get canResequenceRecords() {
        return super.canResequenceRecords && this.props.archInfo.activeActions.edit;
    }
}

registry.category("views").add("ipai_release_kanban", {
    ...rottingKanbanView,
    Renderer: ReleaseKanbanRenderer,
});
