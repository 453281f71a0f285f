"""How this server calls others: real sockets and real TLS, no network."""

import base64
import datetime
import hashlib
import hmac
import http.client
import socket
import ssl
import threading
import time
from contextlib import contextmanager

import outbound
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

NAME = "hooks.example.com"

# --- addresses ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "refusal"),
    [
        ("93.184.215.14", None),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", None),
        ("127.0.0.1", "internal"),
        ("127.8.9.10", "internal"),
        ("::1", "internal"),
        ("10.0.0.1", "internal"),
        ("172.31.255.255", "internal"),
        ("192.168.1.1", "internal"),
        ("100.64.0.1", "internal"),
        ("fd12:3456::1", "internal"),
        ("fec0::1", "internal"),
        ("feff:ffff::1", "internal"),
        ("192.0.0.8", "internal"),
        ("192.0.0.255", "internal"),
        ("192.0.1.1", None),
        ("::ffff:192.0.0.8", "internal"),
        ("64:ff9b::192.0.0.8", "internal"),
        ("::ffff:10.0.0.1", "internal"),
        ("::ffff:127.0.0.1", "internal"),
        ("64:ff9b::10.0.0.1", "internal"),
        ("64:ff9b::93.184.215.14", None),
        ("2002:7f00:1::1", "internal"),
        ("2002:a00:1::1", "internal"),
        ("169.254.169.254", "metadata"),
        ("::ffff:169.254.169.254", "metadata"),
        ("64:ff9b::169.254.169.254", "metadata"),
        ("fe80::1%eth0", "metadata"),
        ("fd00:ec2::23", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("fd20:ce::254", "metadata"),
        ("100.100.100.200", "metadata"),
        ("168.63.129.16", "metadata"),
        ("0.0.0.0", "special"),
        ("::", "special"),
        ("224.0.0.1", "special"),
        ("ff02::1", "special"),
        ("255.255.255.255", "special"),
        ("240.0.0.1", "special"),
        ("::10.0.0.1", "special"),
    ],
)
def test_an_address_is_judged_by_the_network_it_is_of(address, refusal):
    assert outbound.address_refusal(address) == refusal
    inside = None if refusal == "internal" else refusal
    assert outbound.address_refusal(address, internal=True) == inside


def test_without_encryption_nothing_but_this_machine_is_called():
    for address in ("10.0.0.1", "93.184.215.14", "fd12::1"):
        assert outbound.address_refusal(address, internal=True, plain=True) == "plain"
    for address in ("127.0.0.1", "::1"):
        assert outbound.address_refusal(address, internal=True, plain=True) is None


# --- names ----------------------------------------------------------------------------


def test_a_place_is_read_from_an_address():
    place = outbound.place_of("https://Hooks.Example.com/a%20b/?c=d&e=f")
    assert place == outbound.Place("https", NAME, 443, "/a%20b/?c=d&e=f")
    assert outbound.place_of("http://[::1]:8080") == outbound.Place(
        "http", "::1", 8080, "/"
    )


@given(st.text(max_size=60))
def test_what_is_read_as_a_place_is_plain(text):
    for url in (text, f"https://{text}", f"https://{text}/x"):
        try:
            place = outbound.place_of(url)
        except outbound.PlaceError:
            continue
        assert place.scheme in ("https", "http")
        assert outbound.host_name(place.host) == place.host
        assert not set(place.host + place.target) & set(" \r\n\t\\@#") or (
            "@" in place.target
        )


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("https://hooks.example.com@127.0.0.1/", "user"),
        ("https://127.0.0.1#@hooks.example.com/", "fragment"),
        ("https://hooks.example.com\\.evil.example/", "url"),
        ("https://127.1/", "name"),
        ("https://0x7f000001/", "name"),
        ("https://2130706433/", "name"),
        ("https://017700000001/", "name"),
        ("https://hooks.example.com:0/", "url"),
        ("javascript:alert(1)", "scheme"),
        (None, "url"),
    ],
)
def test_an_address_that_says_two_things_is_refused(url, code):
    with pytest.raises(outbound.PlaceError, match=f"^{code}$"):
        outbound.place_of(url)


# --- pauses ---------------------------------------------------------------------------


def test_pauses_grow_to_a_day_and_differ():
    for attempt in range(1, 30):
        pauses = {outbound.pause(attempt) for _ in range(5)}
        assert all(0 < pause <= 86400 for pause in pauses)
        if attempt < 6:
            assert len(pauses) > 1
    assert outbound.pause(10**9) == 86400


def test_what_the_other_side_asks_for_makes_a_pause_longer_never_shorter():
    now = datetime.datetime(2026, 1, 31, 9, 30, tzinfo=datetime.timezone.utc)
    later = "Sat, 31 Jan 2026 10:30:00 GMT"
    assert outbound.pause(1, later, now) == 3600
    assert outbound.pause(1, "3600", now) == 3600
    assert outbound.pause(1, "9" * 50, now) == 86400
    assert outbound.pause(4, "1", now) > 400
    for nonsense in ("", "soon", "-5", "²", "Sat, 99 Foo 2026", "1e9", None):
        assert outbound.pause(1, nonsense, now) <= 6


# --- signatures -----------------------------------------------------------------------


def test_a_signature_is_what_the_specification_says():
    secret, former = outbound.new_secret(), outbound.new_secret()
    assert secret != former
    key = base64.b64decode(secret.removeprefix("whsec_"))
    assert len(key) == 32
    headers = outbound.signed_headers([secret, former], "msg_1", 1700000000, b"{}")
    mac = hmac.new(key, b"msg_1.1700000000.{}", hashlib.sha256).digest()
    first, second = headers["webhook-signature"].split(" ")
    assert first == "v1," + base64.b64encode(mac).decode()
    assert second.startswith("v1,") and second != first
    assert headers["webhook-id"] == "msg_1"
    assert headers["webhook-timestamp"] == "1700000000"


# --- exchanges ------------------------------------------------------------------------


@contextmanager
def listening(serve, context=None):
    """A port of this machine where ``serve(connection)`` answers one connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def take():
        with listener, listener.accept()[0] as connection:
            try:
                if context:
                    connection = context.wrap_socket(connection, server_side=True)
                serve(connection)
                connection.close()
            except OSError:
                return

    thread = threading.Thread(target=take, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    thread.join(10)
    assert not thread.is_alive()


def request_of(connection):
    """The whole request of :func:`call`.

    Who closes a connection with something unread resets it, and the answer is lost.
    """
    data = b""
    while not data.endswith(b"\r\n\r\n{}"):
        more = connection.recv(65536)
        if not more:
            break
        data += more
    return data


def _answer(text):
    def serve(connection):
        request_of(connection)
        connection.sendall(text)

    return serve


def call(scheme, port, timeout=5, cafile=None, addresses=("127.0.0.1",)):
    place = outbound.Place(scheme, NAME, port, "/hook")
    return outbound.exchange(
        place, addresses, "POST", {"X-Some": "thing"}, b"{}", timeout, cafile
    )


@pytest.fixture
def certificate(tmp_path):
    """``certificate(name)``: a server's context, and the file to trust it by."""

    def make(name):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.timezone.utc)
        signed = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
            .sign(key, hashes.SHA256())
        )
        pem = signed.public_bytes(serialization.Encoding.PEM)
        private = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        both, trusted = tmp_path / f"{name}.pem", tmp_path / f"{name}.crt"
        both.write_bytes(private + pem)
        trusted.write_bytes(pem)
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(both)
        return context, str(trusted)

    return make


def test_tls_is_verified_for_the_name_though_the_address_is_connected_to(certificate):
    context, trusted = certificate(NAME)
    asked = []

    def serve(connection):
        asked.append(request_of(connection))
        connection.sendall(b"HTTP/1.1 204 No Content\r\nX-Made: yes\r\n\r\n")

    with listening(serve, context) as port:
        answer = call("https", port, cafile=trusted)
    assert answer.status == 204 and answer.headers == {"x-made": "yes"}
    assert f"Host: {NAME}:{port}".encode() in asked[0]


def test_a_certificate_for_another_name_or_of_nobody_is_refused(certificate):
    other, trusted = certificate("other.example.com")
    for cafile in (trusted, None):
        with (
            listening(_answer(b""), other) as port,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            call("https", port, cafile=cafile)


def test_an_answer_that_trickles_is_cut_when_the_time_is_over():
    def serve(connection):
        request_of(connection)
        for _ in range(1000):
            connection.sendall(b"H")
            if ended.wait(0.05):
                return

    ended = threading.Event()
    with listening(serve) as port:
        start = time.monotonic()
        with pytest.raises(TimeoutError):
            call("http", port, timeout=0.5)
        assert time.monotonic() - start < 3
        ended.set()


def test_what_is_no_answer_is_told_as_such():
    with (
        listening(_answer(b"SSH-2.0-x\r\n")) as port,
        pytest.raises(http.client.HTTPException),
    ):
        call("http", port)
    with (
        listening(_answer(b"")) as port,
        pytest.raises((OSError, http.client.HTTPException)),
    ):
        call("http", port)


def test_the_next_address_is_taken_when_one_does_not_answer():
    text = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with listening(_answer(text)) as port:
        answer = call("http", port, addresses=("127.0.0.9", "127.0.0.1"))
    assert answer.body == b"ok"


def test_a_header_with_a_line_break_is_not_sent():
    with listening(lambda connection: connection.recv(1)) as port:
        place = outbound.Place("http", NAME, port, "/")
        with pytest.raises(ValueError):
            outbound.exchange(place, ["127.0.0.1"], "GET", {"X": "a\r\nY: b"}, b"", 5)
