"""A PostgreSQL server of a test's own, which it may restart."""

import os
import shutil
import signal
import subprocess
import time
from contextlib import contextmanager

from tools import databases, postgres, proc
from tools.paths import DATA, LOGS, RUN


class Cluster:
    """An embedded server beside the one that tests share, ended with its block.

    :ivar database: the one database it holds, a copy of a template of the shared one
    """

    def __init__(self):
        self.folder = RUN / f"pg-{os.getpid()}"
        self.database = databases.temporary_name()
        self._process = None

    @property
    def variables(self):
        """The environment with which libpq and Odoo reach it."""
        return {"PGHOST": str(self.folder), "PGPORT": "5432", "PGUSER": postgres.ROLE}

    def __enter__(self):
        try:
            self._create()
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc_info):
        if self._process:
            self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(DATA / "filestore" / self.database, ignore_errors=True)

    def _run(self, program, *arguments, **kwargs):
        command = [postgres.binaries() / program, *arguments]
        return subprocess.run(
            postgres._as_owner(command), cwd="/", check=True, **kwargs
        )

    def _create(self):
        owner = postgres._owner()
        self.folder.mkdir(mode=0o700)
        os.chown(self.folder, owner.pw_uid, owner.pw_gid)
        words = ("-U", postgres.ROLE, "--auth=trust", "--encoding=UTF8", "--no-sync")
        self._run(
            *("initdb", "-D", self.folder, *words, "--locale=C.UTF-8"),
            stdout=subprocess.DEVNULL,
        )
        with open(self.folder / "postgresql.conf", "a") as conf:
            settings = postgres.SETTINGS | {"shared_buffers": "128MB"}
            conf.writelines(f"{key} = {value}\n" for key, value in settings.items())

    def start(self):
        """Start it, and wait until it answers."""
        words = postgres._as_owner(
            [
                # Set behind the change of user, which would clear it.
                *proc.WITH_PARENT,
                *(postgres.binaries() / "postgres", "-D", self.folder),
                *("-k", self.folder),
            ]
        )
        with open(LOGS / f"postgres-{self.database}.log", "a") as log:
            self._process = subprocess.Popen(
                list(map(str, words)), cwd="/", stdout=log, stderr=log
            )
        ready = [postgres.binaries() / "pg_isready", "-q", "-h", self.folder]
        deadline = time.monotonic() + 60
        while subprocess.run([*ready, "-U", postgres.ROLE], check=False).returncode:
            assert self._process.poll() is None, "PostgreSQL does not start"
            assert time.monotonic() < deadline, "PostgreSQL does not answer"
            time.sleep(0.05)

    def stop(self, how=signal.SIGINT):
        """Stop it: every connection ends, what is not committed is gone."""
        self._process.send_signal(how)
        self._process.wait(60)

    def restart(self):
        """Stop it and start it again."""
        self.stop()
        self.start()

    def copy(self, template):
        """Have the database as a copy of a template of the server that tests share."""
        programs, note = postgres.binaries(), self.folder / "template.dump"
        subprocess.run(
            [programs / "pg_dump", "-Fc", "-Z0", "-f", note, template], check=True
        )
        server = ("-h", self.folder, "-U", postgres.ROLE)
        subprocess.run([programs / "createdb", *server, self.database], check=True)
        words = ("-d", self.database, "-j2", "--no-owner", note)
        subprocess.run([programs / "pg_restore", *server, *words], check=True)
        note.unlink()
        files = DATA / "filestore"
        if (files / template).exists():
            shutil.copytree(
                files / template, files / self.database, copy_function=os.link
            )

    @contextmanager
    def in_use(self):
        """Have the environment of this process name this server for a block."""
        before = {name: os.environ.get(name) for name in self.variables}
        os.environ.update(self.variables)
        try:
            yield
        finally:
            for name, value in before.items():
                os.environ.pop(name, None)
                if value is not None:
                    os.environ[name] = value


def http_workers(server):
    """The process ids of the workers that answer HTTP, of a server with workers."""
    master = server.process.pid
    path = f"/proc/{master}/task/{master}/children"
    with open(path) as children:
        pids = [int(word) for word in children.read().split()]
    found = []
    for pid in pids:
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as line:
                words = line.read().split(b"\0")
        except OSError:  # it ended meanwhile
            continue
        # The evented one is a command of its own; a fork carries its master's.
        if b"gevent" not in words:
            found.append(pid)
    return found
