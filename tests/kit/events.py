"""Releases and envelopes as CI sends them, for the tests from outside."""

import itertools

PROJECT = "acme/odoo"
_numbers = itertools.count(1)


def commit(number=None):
    """A commit SHA that no other test uses."""
    return f"{number or next(_numbers):08x}" + "c0ffee00" * 4


def open_release(ci, name, source_ref=None, authors=("dev@example.com",)):
    """Open a release as CI; the answer of the façade."""
    values = {
        "project": PROJECT,
        "name": name,
        "source_ref": source_ref or commit(),
        "environment_target": "production",
        "authors": list(authors),
    }
    return ci.execute_kw("ipai.control.plane", "open_release", [values])


def envelope(release, event_type, payload, *, key=None, source="manual", **more):
    """An envelope for the release's current revision; each has a key of its own."""
    key = key or next(_numbers)
    return {
        "schema_version": "v1.0",
        "idempotency_key": f"{source}/{release['uuid']}/{event_type}/{key}",
        "event_type": event_type,
        "source_system": source,
        "release_id": release["uuid"],
        "payload": {"source_ref": release["source_ref"], **payload},
        "emitted_at": "2026-01-01T00:00:00+00:00",
        **more,
    }


def build(release, status="pass", lint="pass", **more):
    """A finished build with the checks that the demo project requires."""
    return envelope(
        release,
        "build_complete",
        {
            "status": status,
            "checks": [
                {"name": "unit_tests", "status": "pass"},
                {"name": "lint", "status": lint},
            ],
            "log_url": "https://ci.example.com/builds/1",
        },
        source="github_actions",
        **more,
    )


def ingest(client, *events):
    """Send events over XML-RPC; the answers."""
    return client.execute_kw("ipai.control.plane", "ingest", [list(events)])
