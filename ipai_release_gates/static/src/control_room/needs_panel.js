import { Component, useEnv } from "@odoo/owl";
import { registry } from "@web/core/registry";

import { Nothing, Panel } from "./parts";
import { NEEDS, TONES } from "./words";

/** What waits for the user, the most urgent first; each line opens exactly that. */
export class NeedsPanel extends Component {
    static template = "ipai_release_gates.ControlRoomNeeds";
    static components = { Nothing, Panel };
    static props = { needs: Array };

    setup() {
        this.openRecords = useEnv().openRecords;
    }

    get lines() {
        return this.props.needs.map((need) => ({
            ...need,
            ...NEEDS[need.key],
            toneLabel: TONES[need.tone],
        }));
    }
}

registry
    .category("ipai_control_room")
    .add("needs", { Component: NeedsPanel, prop: "needs" });
