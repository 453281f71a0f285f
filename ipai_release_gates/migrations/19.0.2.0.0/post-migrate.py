"""From one release's gates to the whole control plane."""

from odoo import SUPERUSER_ID, api
from odoo.tools.sql import column_exists


def migrate(cr, version):
    """Bring records of 19.0.1 to what 19.0.2 keeps about them."""
    env = api.Environment(cr, SUPERUSER_ID, {"active_test": False})
    env["ipai.environment"].search([])._ensure_controls()
    contracts_in_force(env)
    confirmation_is_operations(env)
    # G3 asks for more, and what time changes is stored from now on.
    env["ipai.release"].search([("is_open", "=", True)])._rejudge_in_batches()


def contracts_in_force(env):
    """The shipped contracts come into force; a mission that was edited is a draft."""
    env["ipai.persona.contract"]._activate_shipped()
    if not column_exists(env.cr, "ipai_persona", "mission"):
        return
    env.cr.execute("SELECT id, mission->>'en_US' FROM ipai_persona")
    for persona_id, mission in env.cr.fetchall():
        persona = env["ipai.persona"].browse(persona_id)
        if mission and mission.strip() != (persona.mission or "").strip():
            opened = persona.action_new_contract()
            env["ipai.persona.contract"].browse(opened["res_id"]).write(
                {"mission": mission, "change_note": "The mission as it was edited."}
            )
    env.cr.execute("ALTER TABLE ipai_persona DROP COLUMN mission")


def confirmation_is_operations(env):
    """The accountable persona of a condition holds its domain."""
    requirement = env.ref("ipai_release_gates.requirement_g4_confirmed_in_time", False)
    former = env.ref("ipai_release_gates.domain_release_governance", False)
    domain = env.ref("ipai_release_gates.domain_sre_monitoring_performance", False)
    if requirement and domain and requirement.expertise_domain_id == former:
        requirement.expertise_domain_id = domain
