"""Uninstall an addon, or print how the releases stand (for ``odoo shell``).

``ARGUMENTS`` are ``uninstall <addon>``; ``report``, which prints ``REPORT`` and JSON:
the statuses of the gates of each open release, judged now, and what the verification of
each chain found. ``require <kind>`` adds a requirement of that kind to G1.
"""

import json
import os

env = globals()["env"]  # given by the shell
what, *names = os.environ["ARGUMENTS"].split()
if what == "uninstall":
    env["ir.module.module"].search([("name", "in", names)]).button_immediate_uninstall()
elif what == "require":
    gate = env["ipai.gate"].search([("code", "=", "G1")])
    former = gate.requirement_ids[0]
    env["ipai.gate.requirement"].create(
        {
            "gate_id": gate.id,
            "code": "of_another_addon",
            "name": "Of another addon",
            "kind": names[0],
            "accountable_persona_id": former.accountable_persona_id.id,
            "expertise_domain_id": former.expertise_domain_id.id,
        }
    )
    env.cr.commit()
else:
    releases = env["ipai.release"].search([("is_open", "=", True)])
    verdicts = releases._verdicts()
    every = env["ipai.release"].with_context(active_test=False).search([])
    auditor = env["res.users"].search([("login", "=", "auditor")])
    verify = env["ipai.ledger.verification"].with_user(auditor)
    print(
        "REPORT",
        json.dumps(
            {
                "gates": {
                    release.name: {
                        gate.code: gate.status for gate in verdicts[release.id].gates
                    }
                    for release in releases
                },
                "reasons": {
                    release.name: [str(c.reason) for _gate, c in verdict.unmet]
                    for release in releases
                    for verdict in [verdicts[release.id]]
                },
                "chains": sorted(
                    {verify._verify_release(each).result for each in every}
                    | {verify._verify_governance().result}
                ),
            }
        ),
    )
