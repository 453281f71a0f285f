"""A server to be called: it keeps what arrives, and gives prepared answers."""

import base64
import hashlib
import hmac
import queue
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Message:
    """What arrived.

    :param dict headers: by lower-case name
    """

    path: str
    headers: dict
    body: bytes

    def is_signed_with(self, secret):
        """Whether it is, by the words of the Standard Webhooks specification."""
        key = base64.b64decode(secret[len("whsec_") :])
        content = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}."
        mac = hmac.new(key, content.encode() + self.body, hashlib.sha256)
        wanted = "v1," + base64.b64encode(mac.digest()).decode()
        found = self.headers["webhook-signature"].split(" ")
        return any(hmac.compare_digest(wanted, each) for each in found)


class Receiver:
    """Listens on this machine.

    :ivar answers: statuses, or ``(status, headers)``, for what comes next; then 200
    :ivar hold: an event; while it is not set, nothing is answered
    """

    def __init__(self):
        self.answers = []
        self.hold = threading.Event()
        self.hold.set()
        self._arrived = queue.Queue()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                receiver._take(self)

            def log_message(self, *args):
                """What arrives is kept, not printed."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,))

    def _take(self, handler):
        size = int(handler.headers["Content-Length"])
        headers = {name.lower(): value for name, value in handler.headers.items()}
        message = Message(handler.path, headers, handler.rfile.read(size))
        answer = self.answers.pop(0) if self.answers else 200
        status, extra = answer if isinstance(answer, tuple) else (answer, {})
        self._arrived.put(message)
        self.hold.wait(120)
        handler.send_response(status)
        for name, value in extra.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    def next(self, seconds=60):
        """The next message, as soon as it arrives.

        :raises queue.Empty: when none does in time
        """
        return self._arrived.get(timeout=seconds)

    def is_quiet(self):
        """Whether everything that arrived was looked at."""
        return self._arrived.empty()

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *exc_info):
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
