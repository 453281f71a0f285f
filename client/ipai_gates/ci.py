"""What the environment of GitHub Actions or GitLab CI tells about a run.

Sources: the default environment variables that GitHub documents for its actions, and
GitLab's predefined CI/CD variables.
"""

from __future__ import annotations

import json

from .shapes import Environ


def detect(environ: Environ) -> dict[str, str]:
    """What the environment tells, as settings; only what is there.

    :param environ: the environment variables
    :returns: dict with any of ``source_system``, ``project``, ``source_ref``, ``run``
        (this attempt of this step or job, the same when it is retried by itself) and
        ``run_url``
    """
    if environ.get("GITHUB_ACTIONS") == "true":
        found = _github(environ)
    elif environ.get("GITLAB_CI") == "true":
        found = _gitlab(environ)
    else:
        found = {}
    return {name: value for name, value in found.items() if value}


def _github(environ: Environ) -> dict[str, str]:
    get = environ.get
    run, attempt = get("GITHUB_RUN_ID", ""), get("GITHUB_RUN_ATTEMPT", "1")
    repository = get("GITHUB_REPOSITORY", "")
    url = ""
    if run and repository:
        server = get("GITHUB_SERVER_URL", "https://github.com")
        url = f"{server}/{repository}/actions/runs/{run}/attempts/{attempt}"
    # Two steps of a job may tell the same thing again, such as a second health check.
    place = (attempt, get("GITHUB_JOB", ""), get("GITHUB_ACTION", ""))
    return {
        "source_system": "github_actions",
        "project": repository,
        # In a pull request GITHUB_SHA is a merge that nobody made or will release.
        "source_ref": _head_of_pull_request(get("GITHUB_EVENT_PATH"))
        or get("GITHUB_SHA", ""),
        "run": "/".join((run, *place)) if run else "",
        "run_url": url,
    }


def _head_of_pull_request(path: str | None) -> str | None:
    if not path:
        return None
    try:
        with open(path, encoding="utf-8") as handle:
            sha = json.load(handle)["pull_request"]["head"]["sha"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return sha if isinstance(sha, str) else None


def _gitlab(environ: Environ) -> dict[str, str]:
    get = environ.get
    job = get("CI_JOB_ID", "")
    return {
        "source_system": "gitlab_ci",
        "project": get("CI_PROJECT_PATH", ""),
        # Set in pipelines of merged results, where CI_COMMIT_SHA is a merge.
        "source_ref": get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "")
        or get("CI_COMMIT_SHA", ""),
        # A job that is retried has another id.
        "run": f"{get('CI_PIPELINE_ID', '')}/{job}" if job else "",
        "run_url": get("CI_JOB_URL", ""),
    }
