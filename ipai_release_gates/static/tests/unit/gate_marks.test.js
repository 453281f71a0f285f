import { expect, test } from "@odoo/hoot";
import { mountView } from "@web/../tests/web_test_helpers";

import { Release, defineReleases } from "./release_model";

defineReleases();

const STATUSES = ["pending", "in_progress", "passed", "failed", "bypassed"];

test("each gate has a sign, a code and words, not a colour alone", async () => {
    Release._records = [
        {
            id: 1,
            gate_marks: STATUSES.map((status, index) => ({
                code: `G${index}`,
                name: "Gate",
                status,
                label: status,
            })),
        },
    ];
    await mountView({
        type: "form",
        resModel: "ipai.release",
        resId: 1,
        arch: `<form><field name="gate_marks" widget="ipai_gate_marks"/></form>`,
    });
    const signs = new Set();
    for (const [index, status] of STATUSES.entries()) {
        const mark = `.ipai_gate_mark[data-status=${status}]`;
        expect(mark).toHaveText(`G${index}`);
        expect(mark).toHaveAttribute("aria-label", `G${index} Gate: ${status}`);
        expect(mark).toHaveClass(`ipai_gate_${status}`);
        signs.add(document.querySelector(`${mark} i`)?.className);
    }
    expect(signs.size).toBe(STATUSES.length);
});
