import { Component } from "@odoo/owl";
import { CheckboxItem } from "@web/core/dropdown/checkbox_item";
import { Dropdown } from "@web/core/dropdown/dropdown";
import { _t } from "@web/core/l10n/translation";

const RANGES = {
    "7d": _t("Last 7 days"),
    "30d": _t("Last 30 days"),
    "90d": _t("Last 90 days"),
    quarter: _t("This quarter"),
    custom: _t("Other days"),
};

/** Span of days, projects, and the team: the projects that a person is a member of. */
export class RoomFilters extends Component {
    static template = "ipai_release_gates.ControlRoomFilters";
    static components = { CheckboxItem, Dropdown };
    static props = { filters: Object, choices: Object, onChange: Function };
    ranges = Object.entries(RANGES);

    get isCustom() {
        return this.props.filters.range === "custom";
    }

    get projects() {
        const chosen = new Set(this.props.filters.project_ids);
        return this.props.choices.projects.map((project) => ({
            ...project,
            isChosen: chosen.has(project.id),
        }));
    }

    get projectsLabel() {
        const chosen = this.projects.filter((project) => project.isChosen);
        if (!chosen.length) {
            return _t("All projects");
        }
        return chosen.length === 1 ? chosen[0].name : _t("%s projects", chosen.length);
    }

    /** What a screen reader says of the choice of projects. */
    get projectsSpoken() {
        return _t("Projects: %s", this.projectsLabel);
    }

    change(values) {
        this.props.onChange({ ...this.props.filters, ...values });
    }

    toggle(projectId) {
        const chosen = new Set(this.props.filters.project_ids);
        if (!chosen.delete(projectId)) {
            chosen.add(projectId);
        }
        this.change({ project_ids: [...chosen] });
    }

    setDay(key, value) {
        // A day that is being typed is empty for a while.
        if (value) {
            this.change({ [key]: value });
        }
    }
}
