"""Customer acceptance and GitHub leave the core for addons of their own.

Their tables, rows and settings stay where they are. What Odoo keeps about them (XML
ids, constraints, relations) is handed over to the new addons *before* the core is
loaded: else the clean-up at the end of the upgrade would delete it as obsolete. The new
addons are loaded in the same run.
"""

import logging

from odoo import SUPERUSER_ID, api

_logger = logging.getLogger(__name__)
#: addon → what it takes over: its models, fields on the models of others as
#: ``(model, field)``, and further XML ids
MOVES = {
    "ipai_release_gates_github": {
        "models": (
            "ipai.github.app",
            "ipai.github.repository",
            "ipai.github.environment",
            "ipai.github.protection",
            "ipai.github.check",
        ),
        "fields": (),
        "names": (
            "menu_github",
            "menu_github_protection",
            "menu_github_check",
            "menu_github_repository",
            "menu_github_app",
            "ir_cron_github_overdue",
            "ir_cron_github_overdue_ir_actions_server",
        ),
    },
    "ipai_release_gates_uat": {
        "models": ("ipai.uat.invitation", "ipai.uat.criterion", "ipai.uat.wizard"),
        "fields": (("ipai.release", "uat_invitation_ids"),),
        "names": ("menu_uat", "uat_page", "uat_invitation", "uat_answers", "uat_form"),
    },
}
CORE = "ipai_release_gates"


def migrate(cr, version):
    """Hand over what leaves the core, and have its new addons installed."""
    env = api.Environment(cr, SUPERUSER_ID, {})
    modules = env["ir.module.module"].search([("name", "in", [*MOVES])])
    for name in sorted(MOVES.keys() - set(modules.mapped("name"))):
        _logger.warning("%s is not on the addons path: install it later", name)
    new = modules.filtered(lambda module: module.state == "uninstalled")
    # Also where the database has none of it yet: all of it was part of the core.
    new.button_install()
    # As part of the core they were installed: records that people may change keep
    # their values in an upgrade, and would lose them in an installation.
    new.write({"state": "to upgrade", "latest_version": version})
    env.flush_all()
    for addon, moved in MOVES.items():
        _hand_over_names(cr, addon, moved)
        _hand_over_schema(cr, addon, moved["models"])


def _hand_over_names(cr, addon, moved):
    """Give XML ids a new module: those of models, their parts, and further ones."""
    models = [name.replace(".", "_") for name in moved["models"]]
    fields = [
        f"field_{model.replace('.', '_')}__{field}" for model, field in moved["fields"]
    ]
    patterns = [
        pattern
        for model in models
        for pattern in (
            rf"^model_{model}$",
            rf"^field_{model}__",
            rf"^selection__{model}__",
            rf"^constraint_{model}_",
            rf"^access_{model}_",
            # views, rules, actions
            rf"^{model}_(view|rule|action)",
        )
    ]
    cr.execute(
        """
        UPDATE ir_model_data SET module = %s
         WHERE module = %s AND (name = ANY(%s) OR name ~ ANY(%s))""",
        [addon, CORE, [*moved["names"], *fields], patterns],
    )
    # Templates are called by a key that starts with the module.
    cr.execute(
        """
        UPDATE ir_ui_view v SET key = d.module || '.' || d.name
          FROM ir_model_data d
         WHERE d.model = 'ir.ui.view' AND d.res_id = v.id AND d.module = %s
           AND v.key = %s || '.' || d.name""",
        [addon, CORE],
    )


def _hand_over_schema(cr, addon, models):
    """Note the new module where Odoo keeps which one made constraints and relations."""
    for table in ("ir_model_constraint", "ir_model_relation"):
        cr.execute(
            f"""
            UPDATE {table} r SET module = new.id
              FROM ir_module_module new, ir_module_module old, ir_model m
             WHERE new.name = %s AND old.name = %s AND r.module = old.id
               AND r.model = m.id AND m.model = ANY(%s)""",
            [addon, CORE, list(models)],
        )
