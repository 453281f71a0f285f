"""Servers on this machine to be called, and who allows that."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .common import GateCase


@contextmanager
def listening(answer=(200, {}, b"")):
    """A server on this machine that keeps what it is asked.

    :param answer: status, headers and body; or a function of the path that gives them
    """

    class Handler(BaseHTTPRequestHandler):
        def _take(self):
            size = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(size)
            server.asked.append((self.command, self.path, dict(self.headers), body))
            status, headers, text = answer(self.path) if callable(answer) else answer
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = _take

        def log_message(self, *args):
            """What is asked is kept, not printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []
    server.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class OutboundCase(GateCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.admin = cls.new_user("admin2", "base.group_system")

    @classmethod
    def allow(cls, name, user=None, **values):
        hosts = cls.env["ipai.outbound.host"].with_user(user or cls.admin)
        return hosts.create({"name": name, **values})

    @classmethod
    def allow_listener(cls, server):
        return cls.allow(
            "127.0.0.1", port=server.server_port, is_internal=True, is_plain=True
        )
