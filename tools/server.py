"""A server process of Odoo: started, waited for, ended by its process id."""

import http.client
import socket
import time

from . import odoo, proc
from .paths import LOGS
from .say import Stop


def free_port():
    """A port of the loopback interface that is free right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def require_free(port):
    """Stop with a sentence if something listens on the port already."""
    with socket.socket() as probe:
        # As servers do: a port whose last connections are only winding down is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            raise Stop(
                f"Port {port} is taken by another program: end that, or choose another "
                f"port, make run PORT={port + 10}."
            ) from None


class Server:
    """An Odoo server on the loopback interface, as a context manager.

    :param database: the one it serves
    :param port: where it listens; a free one unless given
    :param workers: processes; without, one process with threads
    :param arguments: more of Odoo's command line
    :param jobs: whether it runs the jobs of queue_job, with the channels of odoo.conf
    """

    def __init__(
        self, database, port=None, workers=0, arguments=(), log=None, jobs=False
    ):
        self.database = database
        self.port = port or free_port()
        self.workers = workers
        self.arguments = list(arguments)
        self.jobs = jobs
        self.log = LOGS / f"{log or f'server-{database}-{self.port}'}.log"
        self.process = None

    @property
    def url(self):
        """Its address."""
        return f"http://localhost:{self.port}"

    def start(self):
        """Start the process, without waiting for anything."""
        require_free(self.port)
        LOGS.mkdir(parents=True, exist_ok=True)
        arguments = ["-d", self.database, "--db-filter", f"^{self.database}$"]
        arguments += ["-p", str(self.port), "--workers", str(self.workers)]
        if self.workers:
            arguments += ["--gevent-port", str(free_port())]
        environment = odoo.environment()
        if self.jobs:
            del environment["ODOO_QUEUE_JOB_CHANNELS"]
        with open(self.log, "w") as log:
            self.process = proc.start(
                odoo.command(*arguments, *self.arguments),
                env=environment,
                stdout=log,
                stderr=log,
            )
        return self

    def wait(self, seconds=120):
        """Wait until it answers with a whole page: the registry is loaded by then.

        :raises Stop: if it cannot come up, or does not answer in time
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._answers():
                return self
            said = self.log.read_text(errors="replace")
            reason = odoo.failure(said)
            if self.process.poll() is not None:
                reason = reason or proc.last_line(self.log)
            if reason:
                raise Stop(f"The server cannot start: {reason} — {self.log}")
            # Nothing tells that a port starts to listen: ask again, often enough not
            # to matter.
            time.sleep(0.1)
        raise Stop(
            f"The server does not answer after {seconds} s: {self.log} says more."
        )

    def _answers(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", "/web/login")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self):
        """End the process and its workers."""
        if self.process:
            proc.end(self.process)

    def __enter__(self):
        self.start()
        try:
            return self.wait()
        except BaseException:
            self.stop()
            raise

    def __exit__(self, *exc_info):
        self.stop()
