"""The stand-in's answers about deployments, check runs and statuses."""

import re
from urllib.parse import parse_qs, urlsplit

from .parts import Answer, object_of, only, text_of

_CONCLUSIONS = {
    "action_required",
    "cancelled",
    "failure",
    "neutral",
    "success",
    "skipped",
    "timed_out",
}


class Endpoints:
    """The paths below a repository, each a method that checks what GitHub documents."""

    # --- deployment protection rules -------------------------------------------------

    def _review(self, token, call, owner, name, run):
        installation = self._authorised(token, owner, name, "deployments", "write")
        told = self._run(owner, name, run)
        body = object_of(call.body)
        only(body, {"environment_name", "state", "comment"})
        environment = text_of(body, "environment_name", required=True)
        comment = text_of(body, "comment", required="state" not in body)
        if comment is not None and len(comment.encode("utf-16-le")) // 2 > 1024:
            raise Answer(422, "comment is too long (maximum is 1024 characters)")
        state = body.get("state")
        if "state" in body and state not in ("approved", "rejected"):
            raise Answer(422, "state is not one of approved, rejected")
        if (
            told.environment.lower() != environment.lower()
            or told.installation != installation.number
            or told.state != "waiting"
        ):
            raise Answer(422, f"Nothing waits for {environment} in run {run}")
        if state:
            told.state = state
        else:
            if told.reports == 10:
                raise Answer(422, "No more than 10 status reports")
            told.reports += 1
        told.reviews.append(
            {
                "state": state or "pending",
                "comment": comment or "",
                "environments": [{"id": 1, "name": told.environment}],
                "user": {"login": "release-gates[bot]", "type": "Bot"},
            }
        )
        return 204, None

    def _approvals(self, token, call, owner, name, run):
        self._authorised(token, owner, name, "actions", "read")
        return 200, self._run(owner, name, run).reviews

    def _run(self, owner, name, run):
        told = self.runs.get(int(run))
        if not told or told.repository.lower() != f"{owner}/{name}".lower():
            raise Answer(404, "Not Found")
        return told

    # --- check runs and statuses -----------------------------------------------------

    def _create_check(self, token, call, owner, name):
        self._authorised(token, owner, name, "checks", "write")
        body = self._check_body(call.body, {"name", "head_sha"})
        number = next(self._numbers)
        self.check_runs[number] = {"id": number, "status": "queued", **body}
        return 201, {"id": number, "external_id": body.get("external_id")}

    def _update_check(self, token, call, owner, name, number):
        self._authorised(token, owner, name, "checks", "write")
        known = self.check_runs.get(int(number))
        if not known:
            raise Answer(404, "Not Found")
        body = self._check_body(call.body, set())
        if known["status"] == "completed" and body.get("status") != "completed":
            # Not documented to be possible; who relies on it finds out here.
            raise Answer(422, "A completed check run is not opened again")
        known.update(body)
        return 200, {"id": known["id"]}

    def _check_body(self, body, required):
        body = object_of(body)
        known = {
            "name",
            "head_sha",
            "details_url",
            "external_id",
            "status",
            "conclusion",
            "started_at",
            "completed_at",
            "output",
        }
        only(body, known - ({"head_sha"} if not required else set()))
        for key in known - {"output"}:
            text_of(body, key, required=key in required)
        if "head_sha" in body and not re.fullmatch(r"[0-9a-f]{40}", body["head_sha"]):
            raise Answer(422, "No commit found for SHA")
        status, conclusion = body.get("status"), body.get("conclusion")
        if status not in (None, "queued", "in_progress", "completed"):
            raise Answer(422, "status: only GitHub Actions can set others")
        if (status == "completed") != (conclusion is not None):
            raise Answer(422, "conclusion is required with a status of completed")
        if conclusion is not None and conclusion not in _CONCLUSIONS:
            raise Answer(422, "conclusion: stale is set by GitHub only")
        if body.get("details_url") and not re.match("https?://", body["details_url"]):
            raise Answer(422, "details_url must use the http or https scheme")
        if "output" in body:
            output = object_of(body["output"])
            only(output, {"title", "summary", "text"})
            text_of(output, "title", required=True)
            if len(text_of(output, "summary", required=True)) > 65535:
                raise Answer(422, "summary is too long (maximum is 65535 characters)")
        return body

    def _list_checks(self, token, call, owner, name, ref):
        self._authorised(token, owner, name, "checks", "read")
        wanted = parse_qs(urlsplit(call.path).query).get("check_name", [None])[0]
        latest = {
            run["name"]: run
            for run in self.check_runs.values()
            if run["head_sha"] == ref and wanted in (None, run["name"])
        }
        return 200, {"total_count": len(latest), "check_runs": list(latest.values())}

    def _create_status(self, token, call, owner, name, ref):
        self._authorised(token, owner, name, "statuses", "write")
        body = object_of(call.body)
        only(body, {"state", "target_url", "description", "context"})
        if body.get("state") not in ("error", "failure", "pending", "success"):
            raise Answer(422, "state is not included in the list")
        if len(text_of(body, "description") or "") > 140:
            raise Answer(422, "description is too long (maximum is 140 characters)")
        text_of(body, "context")
        self.statuses.append((ref, body))
        return 201, {"id": next(self._numbers), **body}

    _PART = r"/repos/([^/]+)/([^/]+)"
    routes = (
        (
            "POST",
            rf"{_PART}/actions/runs/([0-9]+)/deployment_protection_rule",
            _review,
        ),
        ("GET", rf"{_PART}/actions/runs/([0-9]+)/approvals", _approvals),
        ("POST", rf"{_PART}/check-runs", _create_check),
        ("PATCH", rf"{_PART}/check-runs/([0-9]+)", _update_check),
        ("GET", rf"{_PART}/commits/([0-9a-f]+)/check-runs", _list_checks),
        ("POST", rf"{_PART}/statuses/([0-9a-f]+)", _create_status),
    )
