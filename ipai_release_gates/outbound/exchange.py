"""One request and its answer, over a connection to an address that was checked.

Not by a library's session: that would resolve the name once more, and connect to what
it finds then. Here the socket is opened to the checked address, and TLS is verified for
the name. There are no proxies, no cookies and no redirects to be followed.
"""

import http.client
import socket
import ssl
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field

#: More of an answer is not read.
MAX_BODY = 64 * 1024


@dataclass(frozen=True)
class Answer:
    """What came back.

    :param dict headers: by lower-case name
    :param bytes body: its first 64 KiB
    :param float seconds: how long it took
    """

    status: int
    headers: dict = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0


def exchange(place, addresses, method, headers, body, timeout, cafile=None):
    """Send one request to the first of some addresses that takes the connection.

    :param place: the :class:`Place` to call
    :param addresses: IP addresses of its host, checked
    :param dict headers: by name
    :param bytes body: sent with its length
    :param timeout: seconds for all of it
    :param cafile: certificates to trust; the system's unless given
    :raises OSError: for what the network did, a wrong certificate and a lack of time
    :raises http.client.HTTPException: for an answer that is none
    :raises ValueError: for a header that cannot be sent
    """
    start = time.monotonic()
    with closing(_Exchange(place, start + timeout, cafile)) as call:
        call.connect(addresses)
        status, headers, body = call.request(method, headers, body)
    return Answer(status, headers, body, time.monotonic() - start)


class _Exchange:
    """A connection that is cut when its time is over, whatever trickles in."""

    def __init__(self, place, deadline, cafile):
        self.place, self.deadline, self.cafile = place, deadline, cafile
        self.connection = http.client.HTTPConnection(place.host, place.port)
        if place.port == {"https": 443, "http": 80}[place.scheme]:
            # The class would name the port in the header “Host” of https.
            self.connection.default_port = place.port
        self.timer = None

    def left(self):
        seconds = self.deadline - time.monotonic()
        if seconds <= 0:
            raise TimeoutError("the time for the call is over")
        return seconds

    def connect(self, addresses):
        last = OSError("the name has no address")
        for address in addresses:
            try:
                self._connect(address)
                return
            except ssl.SSLError:
                raise
            except OSError as error:
                last = error
                self._cut()
        raise last

    def _connect(self, address):
        # Straight to the address: nothing is looked up any more.
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        self.connection.sock = sock
        sock.settimeout(self.left())
        sock.connect((address, self.place.port))
        if self.place.scheme == "https":
            context = ssl.create_default_context(cafile=self.cafile)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            sock = context.wrap_socket(
                sock, server_hostname=self.place.host, do_handshake_on_connect=False
            )
        self.connection.sock = sock
        self.timer = threading.Timer(self.left(), _shut, [sock])
        self.timer.daemon = True
        self.timer.start()
        if self.place.scheme == "https":
            sock.do_handshake()

    def request(self, method, headers, body):
        try:
            self.connection.request(method, self.place.target, body, headers)
            response = self.connection.getresponse()
            body = response.read(MAX_BODY)
        except (OSError, http.client.HTTPException):
            # Which of the two it is depends on what was under way when it was cut.
            self.left()
            raise
        self.left()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return response.status, headers, body

    def _cut(self):
        if self.timer:
            self.timer.cancel()
        if self.connection.sock:
            self.connection.sock.close()
            self.connection.sock = None

    def close(self):
        self._cut()
        self.connection.close()


def _shut(sock):
    """Wake whoever waits for the socket; what they get then is an end."""
    try:
        # Of the socket itself: that of TLS would give up its layer under the reader.
        socket.socket.shutdown(sock, socket.SHUT_RDWR)
    except OSError:
        # It ended by itself meanwhile.
        return
