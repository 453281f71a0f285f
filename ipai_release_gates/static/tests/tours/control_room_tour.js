import { registry } from "@web/core/registry";

import { until } from "./helpers";

const tours = registry.category("web_tour.tours");
const READY = ".ipai_room[aria-busy=false] .ipai_room_grid";

/** The records on screen, of a list or of a board. */
function shown() {
    if (document.querySelector(".o_list_view")) {
        return document.querySelectorAll(".o_list_view .o_data_row").length;
    }
    return document.querySelectorAll(
        ".o_kanban_view .o_kanban_record:not(.o_kanban_ghost)"
    ).length;
}

/** Click the first figure of a panel, count what it opens, and come back. */
async function follow(panel) {
    const figure = document.querySelector(`[data-panel=${panel}] [data-count]`);
    if (!figure) {
        return false;
    }
    const count = Number(figure.dataset.count);
    figure.click();
    await until(
        () => document.querySelector(".o_list_view, .o_kanban_view"),
        `${panel} opens records`
    );
    await until(() => shown() === count, `${panel} opens ${count} records`);
    document.querySelector(".breadcrumb-item a, .o_back_button").click();
    await until(() => document.querySelector(READY), `back from ${panel}`);
    return true;
}

/** Nothing is wider than the screen. */
function assertNarrow() {
    const content = document.querySelector(".o_content");
    if (content.scrollWidth > content.clientWidth) {
        throw new Error(`${content.scrollWidth} px on ${content.clientWidth}`);
    }
}

/** Names that a screen reader has something to say of. */
function assertNamed() {
    for (const el of document.querySelectorAll(
        ".ipai_room button, .ipai_room select, .ipai_room canvas"
    )) {
        if (!(el.getAttribute("aria-label") || el.textContent.trim())) {
            throw new Error(`Nameless: ${el.outerHTML}`);
        }
    }
}

const choose = [
    {
        content: "the page is there, for a month",
        trigger: `${READY}[data-range='30d']`,
    },
    {
        trigger: ".ipai_room_filters select[name=range]",
        run: "select 7d",
    },
    { content: "a week", trigger: `${READY}[data-range='7d']` },
    { trigger: ".ipai_room_project", run: "click" },
    {
        trigger: ".ipai_room_projects .dropdown-item:contains('acme/shop')",
        run: "click",
    },
    { trigger: `.ipai_room[aria-busy=false] .ipai_room_project:contains('acme/shop')` },
    { trigger: ".ipai_room_filters select[name=range]", run: "click" },
];

tours.add("ipai_control_room", {
    steps: () => [
        ...choose,
        {
            content: "figures open as many records as they say",
            trigger: READY,
            timeout: 60000,
            async run() {
                assertNamed();
                const followed = [];
                for (const panel of [
                    "needs",
                    "stages",
                    "gates",
                    "exceptions",
                    "environments",
                    "delivery",
                    "kpis",
                ]) {
                    if (await follow(panel)) {
                        followed.push(panel);
                    }
                }
                if (followed.length < 4) {
                    throw new Error(`Only ${followed}`);
                }
            },
        },
        {
            content: "what was chosen is still chosen",
            trigger: `${READY}[data-range='7d']`,
        },
    ],
});

tours.add("ipai_control_room_remembers", {
    steps: () => [
        {
            content: "as it was left",
            trigger: `${READY}[data-range='7d']`,
        },
        { trigger: ".ipai_room_project:contains('acme/shop')" },
    ],
});

tours.add("ipai_control_room_is_empty", {
    steps: () => [
        { trigger: ".ipai_room_project", run: "click" },
        {
            trigger: ".ipai_room_projects .dropdown-item:contains('acme/shop')",
            run: "click",
        },
        {
            trigger:
                "[data-panel=stages] .ipai_room_nothing:contains('No open release')",
        },
        {
            content: "no data is not 0 %",
            trigger:
                "[data-figure=change_fail_rate] .ipai_room_value:contains('No data')",
        },
        { trigger: "[data-panel=exceptions]:contains('No exception is in force')" },
    ],
});

tours.add("ipai_control_room_narrow", {
    steps: () => [
        {
            content: "one column, nothing to scroll sideways",
            trigger: READY,
            run: assertNarrow,
        },
        {
            trigger: "[data-panel=needs] [data-count]",
            run: "click",
        },
        { trigger: ".o_list_view, .o_kanban_view" },
    ],
});

tours.add("ipai_control_room_fails", {
    steps: () => [
        {
            content: "what was remembered cannot be read",
            trigger: ".ipai_room_error:contains('Range must be one of')",
        },
        {
            trigger: ".ipai_room_error button:contains('Reset filters')",
            run: "click",
        },
        { trigger: `body:not(:has(.ipai_room_error)) ${READY}[data-range='30d']` },
    ],
});
