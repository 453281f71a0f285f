"""Provider ``toyforge``: a code host that sends the results of checks."""

from __future__ import annotations

from typing import Any

from odoo.addons.ipai_release_gates.ingest import Adapted, Provider, fields
from odoo.addons.ipai_release_gates.ingest.adapters.reading import (
    Payload,
    Writer,
    check_name,
    moment,
)
from odoo.addons.ipai_release_gates.ingest.signatures import SIGNED

#: The source system of its events.
SYSTEM = "agent"


def adapt(event: Any, delivery: Any, payload: Any) -> Adapted:
    """Adapt one delivery.

    :param event: the header ``X-Toyforge-Event``
    :param delivery: the header ``X-Toyforge-Delivery``
    :param payload: the JSON body, as in ``samples/toyforge_check.json``
    :raises AdapterError: naming the field that is not as it is documented
    """
    read = Payload(payload)
    project = read.must("repository", fields.project)
    if event != "check":
        return Adapted(project, ignored=f"The event {event} brings no fact.")
    found = {
        "name": check_name(read.must("check.name", fields.string)),
        "status": "pass" if read.must("check.ok", fields.boolean) else "fail",
    }
    commit = read.must("check.commit", fields.commit)
    ended = read.must("check.ended_at", moment)
    envelope = Writer(SYSTEM, delivery, project).envelope
    return Adapted(project, [envelope("check_result", commit, ended, found)])


PROVIDER = Provider(
    code="toyforge",
    label="Toyforge",
    system=SYSTEM,
    event_header="X-Toyforge-Event",
    delivery_headers=("X-Toyforge-Delivery",),
    scheme=SIGNED,
    adapt=adapt,
)
