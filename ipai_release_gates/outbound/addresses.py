"""Which IP addresses may be connected to.

The ranges are those of IANA's special-purpose registries (RFC 6890), as the standard
library has them. An address that embeds another one is checked together with it.
"""

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)

#: Metadata services of clouds, which give credentials to any caller. Those outside of
#: the link-local ranges.
_METADATA = frozenset(
    map(
        ip_address,
        (
            "100.100.100.200",
            "168.63.129.16",
            "192.0.0.192",
            "fd00:ec2::23",
            "fd00:ec2::254",
            "fd20:ce::254",
        ),
    )
)
#: NAT64: the last 32 bits are an IPv4 address (RFC 6052).
_NAT64 = IPv6Network("64:ff9b::/96")
#: Internal networks that some versions of the standard library take for public ones:
#: protocol assignments (RFC 6890) and the former site-local addresses (RFC 3879).
_INTERNAL = (IPv4Network("192.0.0.0/24"), IPv6Network("fec0::/10"))

_Address = IPv4Address | IPv6Address


def address_refusal(
    address: str, internal: bool = False, plain: bool = False
) -> str | None:
    """Why an address must not be connected to.

    :param address: an IP address as the resolver returns it
    :param internal: whether the host is allowed as one of the internal network
    :param plain: whether the connection is not encrypted
    :returns: ``metadata``, ``special``, ``internal``, ``plain``, or ``None`` when the
        address may be connected to
    :raises ValueError: when the text is no IP address
    """
    candidates = _with_embedded(ip_address(address.partition("%")[0]))
    # Metadata services give credentials away, so no setting allows them.
    if any(each.is_link_local or each in _METADATA for each in candidates):
        return "metadata"
    loopback = any(each.is_loopback for each in candidates)
    if not loopback and any(
        each.is_multicast or each.is_unspecified or each.is_reserved
        for each in candidates
    ):
        return "special"
    if plain and not loopback:
        return "plain"
    if not internal and not all(map(_is_public, candidates)):
        return "internal"
    return None


def _is_public(address: _Address) -> bool:
    return address.is_global and not any(address in each for each in _INTERNAL)


def _with_embedded(address: _Address) -> list[_Address]:
    """The addresses that a connection to this one may reach."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address in _NAT64:
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    embedded = [address.sixtofour, *(address.teredo or ())]
    return [address, *(each for each in embedded if each)]
