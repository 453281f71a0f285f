import { Component, useEnv } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";

/** Says how a figure is counted, to the pointer and to the keyboard. */
export class Help extends Component {
    static template = "ipai_release_gates.ControlRoomHelp";
    static props = { text: String };
}

/** A part of the page: title, what it means, a way into the report. */
export class Panel extends Component {
    static template = "ipai_release_gates.ControlRoomPanel";
    static components = { Help };
    static props = {
        name: String,
        title: String,
        help: { type: String, optional: true },
        report: { type: Object, optional: true },
        className: { type: String, optional: true },
        slots: Object,
    };
    static defaultProps = { help: "", className: "" };

    setup() {
        this.openRecords = useEnv().openRecords;
    }

    get reportLabel() {
        return _t("Open the report: %s", this.props.title);
    }
}

/** A number that opens the records it counts; without any it is only a number. */
export class Figure extends Component {
    static template = "ipai_release_gates.ControlRoomFigure";
    static props = {
        figure: Object,
        title: String,
        text: { type: String, optional: true },
        className: { type: String, optional: true },
    };
    static defaultProps = { className: "" };

    setup() {
        this.openRecords = useEnv().openRecords;
    }

    get text() {
        return this.props.text ?? String(this.props.figure.count);
    }

    get label() {
        return `${this.props.title}: ${this.text}`;
    }
}

/** Rows of a name, a bar and a figure. */
export class Bars extends Component {
    static template = "ipai_release_gates.ControlRoomBars";
    static components = { Figure };
    static props = { rows: Array };

    get rows() {
        const most = Math.max(1, ...this.props.rows.map((row) => row.figure.count));
        return this.props.rows.map((row) => ({
            ...row,
            width: `width: ${(100 * row.figure.count) / most}%`,
        }));
    }
}

/** What is shown where there is nothing, and what to do about it. */
export class Nothing extends Component {
    static template = "ipai_release_gates.ControlRoomNothing";
    static props = {
        icon: { type: String, optional: true },
        title: String,
        text: { type: String, optional: true },
    };
    static defaultProps = { icon: "fa-check-circle-o", text: "" };
}
