"""The command line."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from . import __version__
from .problems import USAGE
from .settings import SOURCES

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

    Commands = argparse._SubParsersAction["Parser"]

CHECK_STATUSES = ("pass", "fail", "warning", "skipped")
BUILD_STATUSES = ("pass", "fail")
DEPLOYMENT_STATUSES = ("in_progress", "succeeded", "failed", "rolled_back")
TARGETS = ("dev", "staging", "production")
FORMATS = ("junit", "sarif", "cyclonedx")

_EPILOG = """\
exit codes:
  0  done; for verdict and wait: eligible
  1  verdict, wait: not eligible
  2  the server cannot be reached, and there was something to ask
  3  the server refused it, or the key
  4  kept but not counted yet: in the spool, or with an error by the server
  5  a setting or an argument is missing or wrong; nothing was sent

The API key comes from IPAI_GATES_KEY or the file that IPAI_GATES_KEY_FILE names, and
never from the command line.
"""


class Parser(argparse.ArgumentParser):
    """Knows no abbreviations, and leaves 2 to a server that cannot be reached."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(*args, **{**kwargs, "allow_abbrev": False})

    def error(self, message: str) -> NoReturn:
        """End with the usage and one sentence."""
        self.print_usage()
        self.exit(USAGE, f"ipai-gates: {message} (ipai-gates --help tells more)\n")

    def print_usage(self, file: SupportsWrite[str] | None = None) -> None:
        """As always, but stdout is for machine output."""
        super().print_usage(file or sys.stderr)


def pair(text: str) -> tuple[str, str]:
    """``name=value`` from the command line."""
    name, separator, value = text.partition("=")
    if not (name and separator and value):
        raise argparse.ArgumentTypeError(f"{text!r} is not name=value")
    return name, value


def check(text: str) -> tuple[str, str]:
    """``name=status`` from the command line."""
    name, status = pair(text)
    if status not in CHECK_STATUSES:
        raise argparse.ArgumentTypeError(
            f"{text!r}: the status must be one of {', '.join(CHECK_STATUSES)}"
        )
    return name, status


def _settings() -> Parser:
    common = Parser(add_help=False)
    group = common.add_argument_group(
        "settings", "each also as IPAI_GATES_<NAME>; CI's own variables give the rest"
    )
    add = group.add_argument
    add("--url", help="address of the server")
    add("--key-file", metavar="FILE", help="file that holds the API key")
    add("--database", help="where the server has several")
    add("--project", metavar="OWNER/NAME", help="project, named like its repository")
    add("--name", help="name of the release")
    add("--release", metavar="UUID", help="the release, as open told it")
    add("--source-ref", metavar="SHA", help="full commit SHA")
    add("--source-system", choices=SOURCES, help="who reports")
    add("--run", help="what a retry of this call has in common with it")
    add("--run-url", metavar="URL", help="where people read about this run")
    add("--spool", metavar="FOLDER", help="where events wait for the server")
    add("--timeout", metavar="SECONDS", help="for one request (60)")
    add("--patience", metavar="SECONDS", help="for an unreachable server (20)")
    add(
        "--ok-if-spooled",
        action="store_const",
        const=True,
        help="end with 0 instead of 4, so that the pipeline goes on",
    )
    add(
        "--allow-http",
        action="store_const",
        const=True,
        help="allow http:// to another machine",
    )
    add("--json", action="store_true", help="machine output on stdout")
    add(
        "--outputs",
        metavar="FILE",
        help="append NAME=value lines, for $GITHUB_OUTPUT or a dotenv report",
    )
    return common


def _event() -> Parser:
    """Options of what becomes an event."""
    common = Parser(add_help=False)
    common.add_argument("--gate", metavar="CODE", help="gate it is for, such as G1")
    common.add_argument(
        "--sequence",
        metavar="WORD",
        help="tells it from another about the same in the same run, such as a matrix",
    )
    return common


def build() -> Parser:
    """The parser of ``ipai-gates``."""
    parser = Parser(
        prog="ipai-gates",
        description="Reports to the release gates, and asks for their verdict.",
        epilog=_EPILOG,
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(
        dest="command", metavar="command", required=True, parser_class=Parser
    )
    parents = [_settings()]
    _reports(commands, [*parents, _event()])
    _questions(commands, parents)
    return parser


def _metadata(command: Parser) -> None:
    command.add_argument(
        "--metadata",
        metavar="NAME=VALUE",
        type=pair,
        action="append",
        default=[],
        help="a fact about it; may be repeated",
    )


def _checks(command: Parser) -> None:
    command.add_argument(
        "--check",
        metavar="NAME=STATUS",
        type=check,
        action="append",
        default=[],
        help="one of its checks; may be repeated",
    )


def _reports(commands: Commands, parents: list[Parser]) -> None:
    def add(name: str, text: str) -> Parser:
        return commands.add_parser(name, parents=parents, help=text, description=text)

    command = add("build", "report a finished build with its checks")
    command.add_argument("status", choices=BUILD_STATUSES)
    _checks(command)
    command.add_argument(
        "--junit",
        metavar="NAME=FILE",
        type=pair,
        action="append",
        default=[],
        help="a check from a JUnit file, which is kept as evidence; may be repeated",
    )
    command.add_argument("--log-url", metavar="URL", help="its log (the run's address)")
    command.add_argument("--log-file", metavar="FILE", help="its log, kept as evidence")

    command = add("check", "report one check")
    command.add_argument("check_name", metavar="name")
    command.add_argument("status", choices=CHECK_STATUSES)
    command.add_argument("--artifact", metavar="REFERENCE", help="what it produced")
    _metadata(command)

    command = add("evidence", "record a file or an address as evidence")
    command.add_argument("type", help="such as rollback_plan or release_notes")
    what = command.add_mutually_exclusive_group(required=True)
    what.add_argument("--file", metavar="FILE")
    what.add_argument("--link", metavar="URL")
    command.add_argument("--sha256", help="of what the link leads to")
    _metadata(command)

    command = add("junit", "report JUnit files as one check and its evidence")
    command.add_argument("files", metavar="file", nargs="+")
    command.add_argument("--check-name", default="unit_tests", help="(unit_tests)")

    command = add("report", "send a raw file for the server to read")
    command.add_argument("format", choices=FORMATS)
    command.add_argument("file")
    command.add_argument("--check-name", help="of the check it becomes")

    command = add("deploy", "ask for (in_progress) or report a deployment")
    command.add_argument("status", choices=DEPLOYMENT_STATUSES)
    command.add_argument("--environment", required=True, metavar="NAME")
    command.add_argument(
        "--id", metavar="ID", help="of the deployment, one for all its reports"
    )
    command.add_argument("--rollback-of", metavar="ID", help="deployment it takes back")
    command.add_argument("--at", metavar="TIME", help="ISO 8601 with an offset")

    command = add("health", "report the health of an environment")
    command.add_argument("status", choices=CHECK_STATUSES)
    command.add_argument("--environment", required=True, metavar="NAME")
    command.add_argument("--link", metavar="URL", help="where it can be seen")
    _checks(command)
    _metadata(command)


def _questions(commands: Commands, parents: list[Parser]) -> None:
    def add(name: str, text: str) -> Parser:
        return commands.add_parser(name, parents=parents, help=text, description=text)

    command = add("open", "open a release, or find the one of that name")
    command.add_argument("--target", choices=TARGETS, default="production")
    command.add_argument(
        "--author",
        metavar="EMAIL",
        action="append",
        default=[],
        help="instead of those git knows; may be repeated",
    )
    command.add_argument("--since", metavar="REVISION", help="the release before it")
    command.add_argument("--digest", help="of the artifact that is released")
    command.add_argument(
        "--revise",
        action="store_true",
        help="give a release that exists already this commit, which opens its gates"
        " anew",
    )

    command = add("send", "send envelopes as they are, from NDJSON or a list")
    command.add_argument("file", help="- for stdin")

    command = add("verdict", "ask whether a release may be promoted")
    _judged(command)

    command = add("wait", "wait until a release may be promoted")
    _judged(command)
    command.add_argument(
        "--for", dest="wait_for", metavar="SECONDS", type=float, default=1800.0
    )
    command.add_argument("--longest-pause", metavar="SECONDS", type=float, default=60.0)

    add("flush", "deliver what waits in the spool")
    command = add("spool", "show what waits in the spool and what was refused")
    command.add_argument(
        "--again", action="store_true", help="put what was refused back into the queue"
    )


def _judged(command: Parser) -> None:
    command.add_argument("--target", choices=TARGETS, default="production")
    command.add_argument(
        "--gate", metavar="CODE", help="only whether this gate has passed"
    )
