"""One HTTP request and its answer, over a connection to a checked address.

The session of an HTTP library would resolve the name again and could connect to another
address. This module opens the socket to the checked address and verifies TLS for the
name. It uses no proxies and no cookies, and follows no redirects.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field

from .places import Place

#: The most bytes of an answer's body that are read.
MAX_BODY = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """The answer to a request.

    :param headers: by lower-case name
    :param body: the first 64 KiB
    :param seconds: from the call to the end of the answer
    """

    status: int
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0


def exchange(
    place: Place,
    addresses: Sequence[str],
    method: str,
    headers: Mapping[str, str],
    body: bytes,
    timeout: float,
    cafile: str | None = None,
) -> Answer:
    """Send one request to the first address that accepts a connection.

    :param place: where the request goes
    :param addresses: IP addresses of the host, all of them checked
    :param method: of HTTP, in capitals
    :param headers: by name
    :param body: sent with its length
    :param timeout: seconds for the whole exchange
    :param cafile: file of the certificates to trust; the system's unless given
    :raises OSError: on a network failure, a wrong certificate or a timeout
    :raises http.client.HTTPException: when the answer is not valid HTTP
    :raises ValueError: when a header cannot be sent
    """
    start = time.monotonic()
    with closing(_Exchange(place, start + timeout, cafile)) as call:
        call.connect(addresses)
        status, received, content = call.request(method, headers, body)
    return Answer(status, received, content, time.monotonic() - start)


class _Exchange:
    """A connection that is closed at its deadline, even while data still arrives.

    :param deadline: by the monotonic clock, in seconds
    """

    def __init__(self, place: Place, deadline: float, cafile: str | None) -> None:
        self.place, self.deadline, self.cafile = place, deadline, cafile
        self.connection = http.client.HTTPConnection(place.host, place.port)
        if place.port == {"https": 443, "http": 80}[place.scheme]:
            # Otherwise the header “Host” of https would name the port.
            self.connection.default_port = place.port
        self.timer: threading.Timer | None = None

    def seconds_left(self) -> float:
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the time for the call is over")
        return seconds

    def connect(self, addresses: Sequence[str]) -> None:
        last = OSError("the name has no address")
        for address in addresses:
            try:
                self._connect(address)
                return
            except ssl.SSLError:
                raise
            except OSError as error:
                last = error
                self._disconnect()
        raise last

    def _connect(self, address: str) -> None:
        # Connects to the IP address, so no name is resolved again.
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        self.connection.sock = sock
        sock.settimeout(self.seconds_left())
        sock.connect((address, self.place.port))
        if self.place.scheme == "https":
            context = ssl.create_default_context(cafile=self.cafile)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            tls = context.wrap_socket(
                sock, server_hostname=self.place.host, do_handshake_on_connect=False
            )
            self.connection.sock = tls
            self._shut_at_deadline(tls)
            tls.do_handshake()
        else:
            self._shut_at_deadline(sock)

    def _shut_at_deadline(self, sock: socket.socket) -> None:
        self.timer = threading.Timer(self.seconds_left(), _shut, [sock])
        self.timer.daemon = True
        self.timer.start()

    def request(
        self, method: str, headers: Mapping[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Send the request and read the answer.

        :returns: status, headers by lower-case name, beginning of the body
        """
        try:
            self.connection.request(method, self.place.target, body, headers)
            response = self.connection.getresponse()
            content = response.read(MAX_BODY)
        except (OSError, http.client.HTTPException):
            # The deadline closes the socket, which can raise either of them: report
            # a timeout as such.
            self.seconds_left()
            raise
        self.seconds_left()
        received = {name.lower(): value for name, value in response.getheaders()}
        return response.status, received, content

    def _disconnect(self) -> None:
        if self.timer:
            self.timer.cancel()
        # The stubs of the standard library do not say that it may be None.
        sock: socket.socket | None = self.connection.sock
        if sock:
            sock.close()
            self.connection.sock = None

    def close(self) -> None:
        self._disconnect()
        self.connection.close()


def _shut(sock: socket.socket) -> None:
    """Wake the thread that waits for the socket; it reads an end of the stream."""
    try:
        # The method of the plain socket: that of a TLS socket would drop the TLS layer
        # while the other thread reads from it.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        # The connection ended meanwhile.
        return
