import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { ListController } from "@web/views/list/list_controller";
import { listView } from "@web/views/list/list_view";

import { useReleaseUpdates } from "../live/live_hook";
import { refreshList } from "../live/refresh_list";

/** A list that shows changes of releases as they happen. */
export class ReleaseListController extends ListController {
    setup() {
        super.setup();
        this.orm = useService("orm");
        useReleaseUpdates(
            async ({ releases }) => {
                const { model, orm } = this;
                const isShown = await refreshList(
                    model,
                    orm,
                    releases,
                    () => this.isBusy
                );
                model.notify();
                return isShown;
            },
            { isBusy: () => this.isBusy }
        );
    }

    /** Rows that are read again would lose their selection. */
    get isBusy() {
        const { isReady, root } = this.model;
        return !isReady || Boolean(root.selection?.length || this.editedRecord);
    }
}

registry.category("views").add("ipai_release_list", {
    ...listView,
    Controller: ReleaseListController,
});
