import { beforeEach, describe, expect, test } from "@odoo/hoot";
import { press, queryAll, queryAllTexts, queryOne } from "@odoo/hoot-dom";
import { animationFrame, mockDate } from "@odoo/hoot-mock";
import {
    MockServer,
    contains,
    mockService,
    mountView,
} from "@web/../tests/web_test_helpers";

import { Release, defineReleases } from "./release_model";

describe.current.tags("desktop");
defineReleases();

const condition = (code, state, more = {}) => ({
    code,
    name: `Name of ${code}`,
    kind: "evidence",
    state,
    reason: `Reason of ${code}`,
    waived_until: "",
    facts: [],
    ...more,
});

function tree() {
    return [
        {
            code: "G1",
            name: "Build",
            status: "passed",
            conditions: [
                condition("log", "met", {
                    facts: [{ kind: "evidence", id: 11 }],
                    fresh_until: "2026-02-01T12:00:30Z",
                }),
                condition("checks", "met", {
                    facts: [
                        { kind: "check", id: 21 },
                        { kind: "check", id: 22 },
                    ],
                }),
            ],
        },
        {
            code: "G2",
            name: "Validation",
            status: "in_progress",
            conditions: [
                condition("tests", "unmet"),
                condition("signoff", "waived", {
                    waived_until: "2026-02-02T15:00:30Z",
                    facts: [{ kind: "exception", id: 31 }],
                }),
            ],
        },
        { code: "G3", name: "Promotion", status: "pending", conditions: [] },
    ];
}

beforeEach(() => {
    mockDate("2026-01-31 12:00:00", 0);
    Release._records = [
        {
            id: 1,
            name: "1.0",
            verdict_tree: tree(),
            // The server leaves out what this user may not read: exceptions.
            fact_links: {
                check: { model: "ipai.check", one: "View check", many: "View checks" },
                evidence: {
                    model: "ipai.evidence",
                    one: "View evidence",
                    many: "View evidence",
                },
            },
            next_steps: [
                {
                    gate: "G2",
                    code: "tests",
                    label: "Record evidence",
                    action: "step_action",
                    context: { default_type_id: 5 },
                    exception: { label: "Request exception", action: "way_around" },
                },
                { gate: "G1", code: "log", label: "Not to be offered", action: "no" },
            ],
        },
    ];
});

async function mountPanel() {
    await mountView({
        type: "form",
        resModel: "ipai.release",
        resId: 1,
        arch: `<form>
            <field name="name"/>
            <field name="verdict_tree" widget="ipai_gate_panel"/>
        </form>`,
    });
}

const of = (code) => `[data-condition=${code}]`;

test("every gate has its conditions with state, reason and a sign", async () => {
    await mountPanel();
    expect(queryAllTexts(".ipai_gate_title")).toEqual([
        "G1 Build",
        "G2 Validation",
        "G3 Promotion",
    ]);
    expect(queryAllTexts(".ipai_gate_tally")[1]).toBe("1 of 2 met");
    expect(`${of("tests")} .ipai_condition_state`).toHaveText("Unmet");
    expect(`${of("tests")}:contains('Reason of tests')`).toHaveCount(1);
    expect(`${of("tests")} .fa-times-circle`).toHaveCount(1);
    expect(`${of("signoff")} .ipai_condition_state`).toHaveText("Waived");
    expect(`${of("signoff")} .fa-share`).toHaveCount(1);
});

test("only the next gate is unfolded", async () => {
    await mountPanel();
    expect(queryAll(".ipai_gate_panel[open]").map((el) => el.dataset.gate)).toEqual([
        "G2",
    ]);
});

test("a condition that expires shows the time left", async () => {
    await mountPanel();
    expect(`${of("signoff")} .ipai_waived_until`).toHaveText(/2 days, 3 hours left/);
    queryOne(".ipai_gate_panel[data-gate=G1]").open = true;
    await animationFrame();
    expect(`${of("log")} .ipai_fresh_until`).toHaveText(/1 day left/);
    expect(`${of("checks")} .ipai_fresh_until`).toHaveCount(0);
});

test("a condition links to its facts that the user may read", async () => {
    mockService("action", {
        doAction: ({ res_model, res_id, domain }) =>
            expect.step(`${res_model} ${res_id || domain[0][2]}`),
    });
    await mountPanel();
    queryOne(".ipai_gate_panel[data-gate=G1]").open = true;
    await animationFrame();
    await contains(`${of("log")} button`).click();
    await contains(`${of("checks")} button:contains('View checks (2)')`).click();
    expect.verifySteps(["ipai.evidence 11", "ipai.check 21,22"]);
    expect(`${of("signoff")} button`).toHaveCount(0);
});

test("next steps are offered on unmet conditions only", async () => {
    mockService("action", {
        doAction: (action, { additionalContext } = {}) =>
            expect.step(`${action} ${additionalContext?.default_type_id || ""}`.trim()),
    });
    await mountPanel();
    expect(":contains('Not to be offered')").toHaveCount(0);
    await contains(`${of("tests")} button:contains('Record evidence')`).click();
    await contains(`${of("tests")} button:contains('Request exception')`).click();
    expect.verifySteps(["step_action 5", "way_around"]);
});

test("the keyboard reaches every gate and every step, each with its own name", async () => {
    await mountPanel();
    for (const el of queryAll(".ipai_gate_panel summary, .ipai_gate_panel button")) {
        expect(el.tabIndex).toBe(0);
    }
    expect(`${of("tests")} button.btn-secondary`).toHaveAttribute(
        "aria-label",
        "Record evidence: Name of tests"
    );
    mockService("action", { doAction: (action) => expect.step(action) });
    queryOne(`${of("tests")} button.btn-secondary`).focus();
    await press("Enter");
    await animationFrame();
    expect.verifySteps(["step_action"]);
});

test("a screen reader gets the gate that changed, and nothing at first", async () => {
    await mountPanel();
    expect(".ipai_news").toHaveAttribute("role", "status");
    expect(".ipai_news").toHaveText("");
    const changed = tree();
    changed[1].status = "failed";
    MockServer.env["ipai.release"].write([1], { verdict_tree: changed });
    await contains(".o_field_widget[name=name] input").edit("1.1");
    await contains(".o_form_button_save").click();
    expect(".ipai_news").toHaveText("G2 Validation: Failed");
});
