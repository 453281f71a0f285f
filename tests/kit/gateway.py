"""What stands before an Odoo with workers: one address for pages and websockets."""

import asyncio
import threading
from contextlib import suppress


class Gateway:
    """A TCP proxy, as a context manager: ``/websocket`` has a port of its own.

    Which port is decided by the first line of a connection: browsers open one of its
    own for a websocket. Stands for the reverse proxy that Odoo asks for, and for the
    network of one person: it can be cut and mended.
    """

    def __init__(self, http_port, websocket_port):
        self.ports = http_port, websocket_port
        self.port = None
        self._is_cut = False
        self._writers = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self):
        """Its address."""
        return f"http://localhost:{self.port}"

    def __enter__(self):
        self._thread.start()
        self._server = self._do(
            asyncio.start_server(self._serve, "127.0.0.1", self.port or 0)
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *exc_info):
        self._do(self._hang_up())
        self._server.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def cut(self):
        """Break every connection, and answer no new one."""
        self._is_cut = True
        self._do(self._hang_up())

    def mend(self):
        """Work again."""
        self._is_cut = False

    def _do(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _hang_up(self):
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader, writer):
        if self._is_cut:
            writer.transport.abort()
            return
        with suppress(OSError, asyncio.IncompleteReadError):
            first = await reader.readline()
            is_websocket = b" /websocket" in first
            there = await asyncio.open_connection(
                "127.0.0.1", self.ports[1 if is_websocket else 0]
            )
            there[1].write(first)
            self._writers |= {writer, there[1]}
            try:
                await asyncio.gather(
                    self._pass_on(reader, there[1]), self._pass_on(there[0], writer)
                )
            finally:
                self._writers -= {writer, there[1]}
        writer.close()

    async def _pass_on(self, reader, writer):
        with suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        writer.close()
