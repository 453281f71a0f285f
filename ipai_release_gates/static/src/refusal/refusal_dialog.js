import { Component, onWillStart } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { standardErrorDialogProps } from "@web/core/errors/error_dialogs";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useAutofocus, useService } from "@web/core/utils/hooks";

import { Reason } from "../reason/reason";

const MOVE_WIZARD = "ipai_release_gates.ipai_move_wizard_action";

/** Shows why releases may not move, gate by gate, and offers the next step. */
export class RefusalDialog extends Component {
    static template = "ipai_release_gates.RefusalDialog";
    static components = { Dialog, Reason };
    static props = { ...standardErrorDialogProps };

    setup() {
        this.actionService = useService("action");
        // Enter takes the next step, not the request of an exception.
        useAutofocus();
        this.orm = useService("orm");
        this.refusal = this.props.data.context.refusal;
        this.releases = [];
        onWillStart(async () => {
            const ids = this.refusal.releases.map((release) => release.id);
            const read = await this.orm.read("ipai.release", ids, ["next_steps"]);
            const steps = Object.fromEntries(
                read.map((row) => [row.id, row.next_steps])
            );
            this.releases = this.refusal.releases.map((release) => ({
                ...release,
                groups: this.grouped(release, steps[release.id] || []),
            }));
        });
    }

    get title() {
        const { releases, stage, title } = this.refusal;
        if (title) {
            return title;
        }
        if (releases.length === 1) {
            return _t("%(release)s cannot move to %(stage)s", {
                release: releases[0].name,
                stage: stage.name,
            });
        }
        return _t("%(count)s releases cannot move to %(stage)s", {
            count: releases.length,
            stage: stage.name,
        });
    }

    /** The next steps that this user can take, in the order of the reasons. */
    get steps() {
        return this.releases
            .flatMap((release) => release.groups.flatMap((group) => group.reasons))
            .map((reason) => reason.step)
            .filter(Boolean);
    }

    /** Reasons by gate, in the given order; reasons without a gate come first. */
    grouped(release, steps) {
        const groups = new Map();
        for (const reason of release.reasons) {
            const known = steps.find(
                (step) => step.gate === reason.gate && step.code === reason.code
            );
            const title = reason.gate
                ? `${reason.gate} ${steps.find((s) => s.gate === reason.gate)?.gate_name || ""}`
                : "";
            if (!groups.has(reason.gate)) {
                groups.set(reason.gate, { gate: reason.gate, title, reasons: [] });
            }
            groups.get(reason.gate).reasons.push({
                ...reason,
                step:
                    reason.code === "reason"
                        ? this.moveStep(release)
                        : known?.label && known,
                exception: known?.exception?.label && known.exception,
            });
        }
        return [...groups.values()];
    }

    moveStep(release) {
        return {
            label: _t("Give a reason"),
            action: MOVE_WIZARD,
            context: {
                default_release_ids: [release.id],
                default_stage_id: this.refusal.stage.id,
            },
        };
    }

    async takeStep(step) {
        this.props.close();
        await this.actionService.doAction(step.action, {
            additionalContext: step.context,
            // The views on screen show the changes of the step.
            onClose: () => this.actionService.doAction("soft_reload"),
        });
    }

    async openRelease(id) {
        this.props.close();
        await this.actionService.doAction({
            type: "ir.actions.act_window",
            res_model: "ipai.release",
            res_id: id,
            views: [[false, "form"]],
        });
    }
}

registry
    .category("error_dialogs")
    .add("odoo.addons.ipai_release_gates.errors.GateRefused", RefusalDialog);
