import { beforeEach, expect, test } from "@odoo/hoot";
import { queryAllTexts } from "@odoo/hoot-dom";
import {
    contains,
    makeDialogMockEnv,
    mockService,
    mountWithCleanup,
    onRpc,
} from "@web/../tests/web_test_helpers";
import { RefusalDialog } from "@ipai_release_gates/refusal/refusal_dialog";

import { defineReleases } from "./release_model";

defineReleases();

beforeEach(() => {
    onRpc("ipai.release", "read", () => [
        {
            id: 1,
            next_steps: [
                {
                    gate: "G2",
                    gate_name: "Validation",
                    code: "tests",
                    label: "Record evidence",
                    action: "step_action",
                },
            ],
        },
    ]);
    mockService("action", { doAction: (action) => expect.step(String(action)) });
});

async function mountRefusal(...reasons) {
    const refusal = {
        stage: { id: 3, name: "Staging" },
        releases: [{ id: 1, name: "1.0", reasons }],
    };
    await mountWithCleanup(RefusalDialog, {
        env: await makeDialogMockEnv(),
        props: {
            data: { context: { refusal } },
            close: () => expect.step("closed"),
            name: "",
            message: "",
            traceback: "",
        },
    });
}

const TESTS = {
    gate: "G2",
    code: "tests",
    kind: "evidence",
    reason: "No `test` there",
};
const BACK = { gate: "", code: "reason", kind: "reason", reason: "Needs a reason" };

test("the dialog shows the release, the stage, and every reason under its gate", async () => {
    await mountRefusal(TESTS, { ...TESTS, code: "plan", reason: "No plan" });
    expect(".modal-title").toHaveText("1.0 cannot move to Staging");
    expect("h6").toHaveText("G2 Validation");
    expect(queryAllTexts(".ipai_condition_text")).toEqual(["No test there", "No plan"]);
    expect(".ipai_condition_text code").toHaveText("test");
});

test("the dialog offers a next step, and takes it when it closes", async () => {
    await mountRefusal(TESTS);
    await contains(".ipai_next_step:contains('Record evidence')").click();
    expect.verifySteps(["closed", "step_action"]);
});

test("a move back asks for a reason", async () => {
    await mountRefusal(BACK);
    await contains(".ipai_next_step:contains('Give a reason')").click();
    expect.verifySteps(["closed", "ipai_release_gates.ipai_move_wizard_action"]);
});

test("a dialog without next steps offers none", async () => {
    await mountRefusal({ ...TESTS, code: "unknown" });
    expect(".ipai_next_step").toHaveCount(0);
    expect("footer button:contains('Close')").toHaveCount(1);
});
