/** Steps that the tours of this addon share. */

export const column = (stage) =>
    `.o_kanban_group:has(.o_column_title:contains('${stage}'))`;
export const card = (name) => `.o_kanban_record:contains('${name}')`;
export const cardIn = (stage, name) => `${column(stage)} ${card(name)}`;

/** Steps that drag a card to a column and wait until the card is in the given column. */
export const drag = (name, from, to) => [
    {
        content: `drag ${name} from ${from} to ${to}`,
        trigger: cardIn(from, name),
        run: `drag_and_drop(${column(to)})`,
    },
];

/** Step that reads the refusal: exactly these texts, in any order. */
export const refusalSays = (...expected) => ({
    content: `the refusal says ${expected.join(", ")}`,
    trigger: ".ipai_refusal .ipai_condition",
    run() {
        const said = [
            ...document.querySelectorAll(".ipai_refusal .ipai_condition_text"),
        ].map((el) => el.textContent.trim().replace(/\b[0-9a-f]{7}\b/g, "REV"));
        if (said.sort().join("\n") !== expected.sort().join("\n")) {
            throw new Error(`Refusal says: ${said.join(" | ")}`);
        }
    },
});

/** Wait until a condition holds. */
export async function until(condition, what) {
    for (let tries = 0; tries < 400; tries++) {
        const found = condition();
        if (found) {
            return found;
        }
        await new Promise((resolve) => setTimeout(resolve, 25));
    }
    throw new Error(`Never happened: ${what}`);
}
