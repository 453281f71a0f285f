import { registry } from "@web/core/registry";

import { until } from "./helpers";

const leaves = (menu) =>
    menu.childrenTree.length
        ? menu.childrenTree.flatMap(leaves)
        : menu.actionID
          ? [menu]
          : [];

function assertNoDialog(where) {
    const dialog = document.querySelector(".modal");
    if (dialog) {
        throw new Error(`${where}: ${dialog.textContent}`);
    }
}

/** Open every tab of the form on screen. */
async function openTabs(where) {
    for (const tab of document.querySelectorAll(".o_notebook_headers .nav-link")) {
        tab.click();
        await until(
            () => tab.classList.contains("active"),
            `${where}: tab ${tab.textContent}`
        );
        assertNoDialog(`${where}, ${tab.textContent}`);
    }
}

/** Open a menu, each of its views, and the form of a record with all its tabs. */
async function visit(menu, { action, menu: menuService, orm }) {
    await menuService.selectMenu(menu);
    if (menu.actionPath === "control-room") {
        // A page of its own, see control_room_tour.js.
        await until(
            () => document.querySelector(".ipai_room_grid[data-range]"),
            menu.name
        );
        assertNoDialog(menu.name);
        return;
    }
    const controller = await until(
        () =>
            action.currentController?.action.id === menu.actionID &&
            document.querySelector(".o_action_manager .o_view_controller") &&
            action.currentController,
        menu.name
    );
    assertNoDialog(menu.name);
    const { res_model: model, views } = controller.action;
    const [id] = await orm.search(model, [], { limit: 1 });
    for (const [, type] of views) {
        const isShown = type === controller.view.type;
        if (isShown || type === "search" || (type === "form" && !id)) {
            continue;
        }
        const where = `${menu.name}, ${type}`;
        await action.switchView(type, type === "form" ? { resId: id } : {});
        await until(() => document.querySelector(`.o_${type}_view`), where);
        assertNoDialog(where);
        if (type === "form") {
            await openTabs(where);
        }
    }
}

registry.category("web_tour.tours").add("ipai_every_screen", {
    steps: () => [
        { trigger: ".o_kanban_group" },
        {
            content: "every menu, every view, every tab",
            trigger: ".o_main_navbar",
            timeout: 60000,
            async run() {
                const { services } = odoo.__WOWL_DEBUG__.root.env;
                const app = services.menu.getCurrentApp();
                const menus = leaves(services.menu.getMenuAsTree(app.id));
                for (const menu of menus) {
                    try {
                        await visit(menu, services);
                    } catch (error) {
                        const { message } = error.cause || error;
                        throw new Error(
                            `${menu.name}: ${error.cause?.data?.message || message}`
                        );
                    }
                }
            },
        },
        { trigger: "body:not(:has(.modal))" },
    ],
});
