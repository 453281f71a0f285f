"""What events refer to by name, looked up once for a whole run of events."""

from functools import cached_property

from ...errors import Rejected


class Lookup:
    """Gates, evidence types, environments and deployments by the names events use.

    Reads as superuser: these names are the contract's vocabulary, and the sender was
    checked to see the release they are used on.

    :param env: the environment of the sender
    """

    def __init__(self, env):
        self._env = env
        self._environments = {}
        self._deployments = {}

    @cached_property
    def _gates(self):
        # sudo: gates are shared vocabulary
        gates = self._env["ipai.gate"].sudo().search([])
        return {gate.code: gate for gate in gates}

    @cached_property
    def first_gate(self):
        """The gate a build is judged by: the first."""
        return min(self._gates.values(), key=lambda gate: (gate.sequence, gate.id))

    @cached_property
    def closing_gate(self):
        """The gate that a running production deployment is judged by: the last."""
        # sudo: stages are shared vocabulary
        stages = self._env["ipai.release.stage"].sudo()
        return stages.search([("is_closing", "=", True)], limit=1).gate_id

    @cached_property
    def evidence_types(self):
        """Types of evidence by code."""
        # sudo: evidence types are shared vocabulary
        types = self._env["ipai.evidence.type"].sudo().search([])
        return {type_.code: type_ for type_ in types}

    def gate(self, submission):
        """The gate an event names; an empty record when it names none."""
        code = submission.envelope.gate_code
        if code is None:
            return self._env["ipai.gate"]
        if code not in self._gates:
            raise Rejected(
                "invalid_field",
                self._env._(
                    "Unknown gate; known are %s.", ", ".join(sorted(self._gates))
                ),
                "gate_code",
            )
        return self._gates[code]

    def environment(self, submission):
        """The environment of the release's project that an event names."""
        project = submission.release.project_id
        if project not in self._environments:
            found = (
                self._env["ipai.environment"]
                # sudo: environments and deployments are shared
                .sudo()
                .search([("project_id", "=", project.id)])
            )
            self._environments[project] = {e.name: e for e in found}
        known = self._environments[project]
        name = submission.envelope.payload["environment"]
        if name not in known:
            raise Rejected(
                "invalid_field",
                self._env._(
                    "%(project)s has no environment “%(name)s”; known are %(known)s.",
                    project=project.name,
                    name=name,
                    known=", ".join(sorted(known)) or self._env._("none"),
                ),
                "payload.environment",
            )
        return known[name]

    def latest_deployment(self, submission, environment):
        """The latest deployment of the event's revision there, or an empty record."""
        key = (submission.revision, environment)
        if key not in self._deployments:
            self._deployments[key] = (
                self._env["ipai.deployment"]
                # sudo: environments and deployments are shared
                .sudo()
                .search(
                    [
                        ("release_id", "=", submission.release.id),
                        ("revision_id", "=", submission.revision.id),
                        ("environment_id", "=", environment.id),
                    ],
                    order="deployed_at desc, id desc",
                    limit=1,
                )
            )
        return self._deployments[key]
