import { Component, onMounted, useState, useSubEnv } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { user } from "@web/core/user";
import { useService } from "@web/core/utils/hooks";
import { Layout } from "@web/search/layout";
import { standardActionServiceProps } from "@web/webclient/actions/action_service";

import { useReleaseUpdates } from "../live/live_hook";
import { RoomFilters } from "./room_filters";

const MODEL = "ipai.control.room";
const SETTING = "ipai_control_room";
/** Name of a panel's component → `{ Component, prop }`; the prop gets the data. */
const panels = registry.category("ipai_control_room");

/** One page: what needs me now, how releases stand, how delivery goes. */
export class ControlRoom extends Component {
    static template = "ipai_release_gates.ControlRoom";
    static components = { Layout, RoomFilters };
    static props = { ...standardActionServiceProps };
    static displayName = _t("Control Room");

    setup() {
        this.action = useService("action");
        this.orm = useService("orm");
        this.state = useState({
            data: null,
            error: null,
            isLoading: true,
            isOutdated: false,
        });
        this.filters = user.settings?.[SETTING] || {};
        this.asked = 0;
        useSubEnv({
            openRecords: (open, name) => this.openRecords(open, name),
            openRecord: (model, id) => this.openRecord(model, id),
            openKpi: (kpi) => this.openKpi(kpi),
        });
        onMounted(() => this.load());
        useReleaseUpdates(() => this.load(), { delay: 1500 });
    }

    /** Ask for everything again; of several answers the last one asked for counts. */
    async load() {
        const asked = ++this.asked;
        this.state.isLoading = true;
        let data = null;
        let error = null;
        try {
            data = await this.orm.silent.call(MODEL, "data", [this.filters]);
        } catch (caught) {
            error = caught;
        }
        if (asked !== this.asked) {
            return;
        }
        this.state.isLoading = false;
        this.state.isOutdated = false;
        this.state.error = error && this.reason(error);
        if (data) {
            this.state.data = data;
        }
    }

    /** The panels of a place that have data, each with its component and its props. */
    panelsAt(place) {
        const { data } = this.state;
        return data.panels
            .filter((panel) => panel.place === place && data[panel.key])
            .filter((panel) => panels.contains(panel.component))
            .map(({ key, component }) => {
                const { Component: panel, prop } = panels.get(component);
                return { key, Component: panel, props: { [prop]: data[key] } };
            });
    }

    reason(error) {
        return (
            error.data?.message ||
            _t("The server could not be reached. What is shown may be out of date.")
        );
    }

    async onFilters(filters) {
        const days =
            filters.range === "custom" ? { from: filters.from, to: filters.to } : {};
        await this.use({
            range: filters.range,
            ...days,
            project_ids: filters.project_ids,
            member_id: filters.member_id,
        });
    }

    async onReset() {
        await this.use({});
    }

    /** Take other filters, and keep them for the next time. */
    async use(filters) {
        this.filters = filters;
        // What is on screen answers another question; a live update does not dim it.
        this.state.isOutdated = true;
        await this.load();
        if (!this.state.error && user.settings) {
            await user.setUserSettings(SETTING, filters);
        }
    }

    openRecords({ model, domain, views }, name) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            name,
            res_model: model,
            domain,
            views: views.map((view) => [false, view]),
            target: "current",
        });
    }

    openRecord(model, id) {
        return this.action.doAction({
            type: "ir.actions.act_window",
            res_model: model,
            res_id: id,
            views: [[false, "form"]],
            target: "current",
        });
    }

    async openKpi(kpi) {
        const action = await this.orm.call(MODEL, "kpi_action", [kpi, this.filters]);
        return this.action.doAction(action);
    }
}

registry.category("actions").add("ipai_release_gates.control_room", ControlRoom);
