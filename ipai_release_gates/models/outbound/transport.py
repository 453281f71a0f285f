import http.client
import logging
import os
import re
import socket
import ssl
from datetime import datetime, timezone

import requests

from odoo import api, models

from ... import outbound
from ...errors import OutboundFailed, OutboundRefused

_logger = logging.getLogger(__name__)

#: An answer: ``status``, ``headers`` (by lower-case name), ``body`` (its first 64 KiB),
#: ``seconds``.
OutboundAnswer = outbound.Answer

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_AGENT = "ipai-release-gates"


class OutboundTransport(models.AbstractModel):
    """Calls to other servers: to allowed hosts only, from jobs.

    Every outbound call of this addon uses this transport. It looks the host up among
    the allowed ones, resolves its name once, checks every address, and connects to one
    of these addresses. A name that resolves to another address a moment later has no
    effect. TLS is verified for the name. Redirects are not followed and proxies are not
    used. Headers, bodies and queries of URLs are not logged, because they may hold
    secrets.
    """

    _name = "ipai.outbound.transport"
    _description = "Calls to other servers"

    @api.model
    def _send(self, method, url, *, headers=None, body=b"", timeout=10):
        """Call another server.

        :param str method: GET, POST, PUT, PATCH or DELETE
        :param str url: ``https://…``, of an allowed host
        :param dict headers: by name
        :param bytes body: sent as it is
        :param timeout: seconds for the whole call
        :returns: :data:`OutboundAnswer` of any status, redirects included
        :raises OutboundRefused: when the call is not allowed; a retry is useless
        :raises OutboundFailed: when the call failed; a retry may succeed
        """
        if method not in _METHODS:
            raise ValueError(f"no method of the transport: {method}")
        place, host = self._check_url(url)
        addresses = self._resolve(place)
        for address in addresses:
            self._check_address(address, place, host)
        where = f"{method} {place.scheme}://{place.host}:{place.port}"
        try:
            answer = outbound.exchange(
                place,
                addresses,
                method,
                {"User-Agent": _AGENT, **(headers or {})},
                body,
                timeout,
                # The certificates that Odoo's other calls trust.
                cafile=os.environ.get("REQUESTS_CA_BUNDLE") or requests.certs.where(),
            )
        except (OSError, http.client.HTTPException) as error:
            # Without the cause: its text may hold data that was sent or read.
            failure = _words(error)
            _logger.warning("%s: %s", where, failure)
            raise OutboundFailed(f"{place.host}: {failure}") from None
        _logger.info("%s: %s in %.2f s", where, answer.status, answer.seconds)
        return answer

    @api.model
    def _check_url(self, url):
        """Check that a URL may be called, without a call and without resolving it.

        :returns: :class:`outbound.Place` and the record of the allowed host
        :raises OutboundRefused: with the reason and the remedy
        """
        try:
            place = outbound.place_of(url)
        except outbound.PlaceError as error:
            raise OutboundRefused(self._url_refusal(str(error))) from None
        host = self.env["ipai.outbound.host"]._allowing(place)
        if host:
            return place, host
        if place.scheme == "http":
            raise OutboundRefused(
                self.env._(
                    "%(host)s port %(port)s is not called without encryption: use "
                    "https. Only this machine itself may be called by http, once an "
                    "administrator of Odoo has allowed it as a host without "
                    "encryption.",
                    host=place.host,
                    port=place.port,
                )
            )
        raise OutboundRefused(
            self.env._(
                "%(host)s port %(port)s is not among the hosts that may be called. An "
                "administrator of Odoo allows it in Settings → Allowed Hosts.",
                host=place.host,
                port=place.port,
            )
        )

    def _url_refusal(self, code):
        if code == "scheme":
            return self.env._("The address must begin with https://.")
        if code == "user":
            return self.env._("The address must not hold a user name or password.")
        if code == "fragment":
            return self.env._("The address must not hold a fragment (#).")
        return self.env._(
            "That is no address of the web such as https://hooks.example.com/path, of "
            "at most 2000 characters."
        )

    @api.model
    def _resolve(self, place):
        """The IP addresses of a host, each once, in the order of the resolver.

        :raises OutboundFailed: when the name does not resolve
        """
        try:
            found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise OutboundFailed(f"{place.host}: the name does not resolve") from None
        return list(dict.fromkeys(info[4][0] for info in found))

    @api.model
    def _check_address(self, address, place, host):
        """Check an IP address that an allowed host resolves to.

        :raises OutboundRefused: with the reason why it is not connected to
        """
        refusal = outbound.address_refusal(
            address, internal=host.is_internal, plain=place.scheme == "http"
        )
        if not refusal:
            return
        names = {"host": place.host, "address": address}
        if refusal == "internal":
            raise OutboundRefused(
                self.env._(
                    "%(host)s resolves to %(address)s, an address of this machine or "
                    "of a private network. If that is meant, an administrator of Odoo "
                    "marks the host as one of the internal network.",
                    **names,
                )
            )
        if refusal == "plain":
            raise OutboundRefused(
                self.env._(
                    "%(host)s resolves to %(address)s, which is not this machine: it "
                    "is called by https only.",
                    **names,
                )
            )
        raise OutboundRefused(
            self.env._(
                "%(host)s resolves to %(address)s, an address that is never called "
                "(link-local, metadata of a cloud, multicast or reserved). Give the "
                "host another address.",
                **names,
            )
        )

    @api.model
    def _retry_after(self, attempt, answer=None):
        """Seconds until the next attempt: longer each time, a day at most.

        :param int attempt: how many attempts were made, 1 or more
        :param answer: the last :data:`OutboundAnswer`; its ``Retry-After`` is respected
        """
        asked = answer.headers.get("retry-after") if answer else None
        return int(outbound.pause(attempt, asked, datetime.now(timezone.utc)))


def _words(error):
    """A description of an error that holds none of the data that was sent."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate is not accepted ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return "TLS failed"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(error, http.client.HTTPException):
        return f"no answer of HTTP ({type(error).__name__})"
    return re.sub(r"\[.*?\]\s*", "", error.strerror or type(error).__name__)
