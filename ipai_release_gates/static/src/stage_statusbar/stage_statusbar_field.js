import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import {
    StatusBarField,
    statusBarField,
} from "@web/views/fields/statusbar/statusbar_field";

/** A status bar that shows the present stage again when the move to another was refused. */
export class StageStatusBarField extends StatusBarField {
    async selectItem(item) {
        const { record } = this.props;
        // What else was edited is saved on its own: a refused move must not take it along.
        if ((await record.isDirty()) && !(await record.save())) {
            return;
        }
        try {
            await super.selectItem(item);
        } catch (error) {
            await record.discard();
            throw error;
        }
    }
}

export const stageStatusBarField = {
    ...statusBarField,
    component: StageStatusBarField,
    displayName: _t("Stages with gates"),
    supportedTypes: ["many2one"],
    additionalClasses: ["o_field_statusbar"],
};

registry.category("fields").add("ipai_stage_statusbar", stageStatusBarField);
