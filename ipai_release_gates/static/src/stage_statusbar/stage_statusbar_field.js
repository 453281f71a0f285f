import {
    RottingStatusBarDurationField,
    rottingStatusBarDurationField,
} from "@mail/js/rotting_mixin/rotting_statusbar";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";

/**
 * A status bar with the time spent in each stage. It shows the present stage again when
 * a move was refused.
 */
export class StageStatusBarField extends RottingStatusBarDurationField {
    async selectItem(item) {
        const { record } = this.props;
        // Saves other edits first, so that a refused move does not lose them.
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
    ...rottingStatusBarDurationField,
    component: StageStatusBarField,
    displayName: _t("Stages with gates"),
    supportedTypes: ["many2one"],
    additionalClasses: ["o_field_statusbar"],
    fieldDependencies: [
        { name: "duration_tracking", type: "json" },
        { name: "is_rotting", type: "boolean" },
        { name: "rotting_days", type: "integer" },
    ],
};

registry.category("fields").add("ipai_stage_statusbar", stageStatusBarField);
