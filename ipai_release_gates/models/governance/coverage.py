from odoo import api, fields, models
from odoo.tools import SQL

#: Why something is a gap; what is covered has none.
GAPS = [
    ("no_contract", "It has no contract in force"),
    ("no_primary", "No persona is its primary"),
    ("nobody_holds", "No persona holds its expertise domain"),
    ("persona_archived", "The accountable persona is archived"),
    ("persona_lacks", "The accountable persona does not hold its domain"),
]


class GovernanceCoverage(models.Model):
    """What the governance model must cover, item by item, and whether it does.

    A reading of personas, domains and requirements in one query. A gap is a defect of
    the model of governance: it is shown, and decides nothing.
    """

    _name = "ipai.governance.coverage"
    _description = "Coverage of the governance model"
    _auto = False
    _order = "is_gap desc, kind, name, id"
    _depends = {
        "ipai.persona": ["code", "active"],
        "ipai.persona.contract": ["persona_id", "state"],
        "ipai.persona.expertise": ["persona_id", "domain_id", "level"],
        "ipai.expertise.domain": ["code"],
        "ipai.gate": ["code"],
        "ipai.gate.requirement": [
            "gate_id",
            "code",
            "active",
            "accountable_persona_id",
            "expertise_domain_id",
        ],
        "ipai.agent.capability": ["code", "domain_id", "persona_id"],
    }

    kind = fields.Selection(
        [
            ("contract", "Contract"),
            ("domain", "Expertise domain"),
            ("condition", "Gate condition"),
            ("capability", "Capability"),
        ],
        readonly=True,
    )
    name = fields.Char(readonly=True)
    is_gap = fields.Boolean(string="Gap", readonly=True)
    gap = fields.Selection(GAPS, string="What is missing", readonly=True)
    persona_id = fields.Many2one(
        "ipai.persona",
        readonly=True,
        help="Of a condition the accountable persona, of a domain its primary.",
    )
    domain_id = fields.Many2one(
        "ipai.expertise.domain", string="Expertise domain", readonly=True
    )
    gate_id = fields.Many2one("ipai.gate", readonly=True)
    source = fields.Char(readonly=True)
    state = fields.Selection(
        [("gap", "Gap"), ("covered", "Covered")], compute="_compute_state"
    )

    @property
    def _table_query(self):
        # Each kind has ids of its own: four kinds, so that no two rows share one.
        return SQL(
            """
            WITH held AS (
                SELECT e.domain_id, e.persona_id, e.level
                  FROM ipai_persona_expertise e
                  JOIN ipai_persona p ON p.id = e.persona_id AND p.active
            ), item AS (
                SELECT p.id * 4 AS id, 'contract' AS kind, p.code AS name,
                       p.id AS persona_id, NULL::int AS domain_id,
                       NULL::int AS gate_id, 'ipai.persona,' || p.id AS source,
                       CASE WHEN NOT EXISTS (
                           SELECT FROM ipai_persona_contract c
                            WHERE c.persona_id = p.id AND c.state = 'active'
                       ) THEN 'no_contract' END AS gap
                  FROM ipai_persona p WHERE p.active
                UNION ALL
                SELECT d.id * 4 + 1, 'domain', d.code, h.persona_id, d.id, NULL,
                       'ipai.expertise.domain,' || d.id,
                       CASE WHEN h.persona_id IS NULL THEN 'no_primary' END
                  FROM ipai_expertise_domain d
             LEFT JOIN held h ON h.domain_id = d.id AND h.level = 'primary'
                UNION ALL
                SELECT q.id * 4 + 2, 'condition', g.code || ' ' || q.code, p.id,
                       q.expertise_domain_id, g.id, 'ipai.gate.requirement,' || q.id,
                       CASE
                           WHEN NOT EXISTS (
                               SELECT FROM held h
                                WHERE h.domain_id = q.expertise_domain_id
                           ) THEN 'nobody_holds'
                           WHEN NOT p.active THEN 'persona_archived'
                           WHEN NOT EXISTS (
                               SELECT FROM held h
                                WHERE h.domain_id = q.expertise_domain_id
                                  AND h.persona_id = p.id
                           ) THEN 'persona_lacks'
                       END
                  FROM ipai_gate_requirement q
                  JOIN ipai_gate g ON g.id = q.gate_id
                  JOIN ipai_persona p ON p.id = q.accountable_persona_id
                 WHERE q.active
                UNION ALL
                SELECT c.id * 4 + 3, 'capability', c.code, c.persona_id, c.domain_id,
                       NULL, 'ipai.agent.capability,' || c.id,
                       CASE WHEN NOT EXISTS (
                           SELECT FROM held h WHERE h.domain_id = c.domain_id
                              AND (c.persona_id IS NULL OR h.persona_id = c.persona_id)
                       ) THEN 'nobody_holds' END
                  FROM ipai_agent_capability c
            )
            SELECT item.*, gap IS NOT NULL AS is_gap FROM item
            """
        )

    @api.depends("is_gap")
    def _compute_state(self):
        for item in self:
            item.state = "gap" if item.is_gap else "covered"

    def action_open_source(self):
        """Button: open what the item is about, to close the gap there.

        :raises AccessError: for who may not read it
        """
        self.ensure_one()
        model, id_ = self.source.split(",")
        record = self.env[model].browse(int(id_))
        record.check_access("read")
        return {
            "type": "ir.actions.act_window",
            "res_model": model,
            "res_id": record.id,
            "views": [(False, "form")],
        }
