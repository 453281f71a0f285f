"""Which addresses may be connected to.

The ranges are those of IANA's special-purpose registries (RFC 6890), as the standard
library knows them. Addresses that carry another one inside are judged by both.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address

#: Where clouds hand out credentials to whatever runs in them, outside of link-local.
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
#: Translates to IPv4: the last 32 bits are the address (RFC 6052).
_NAT64 = IPv6Network("64:ff9b::/96")
#: Of no public network, whatever the version of the standard library says: protocol
#: assignments (RFC 6890) and the site-local addresses of old (RFC 3879).
_INTERNAL = (IPv4Network("192.0.0.0/24"), IPv6Network("fec0::/10"))


def address_refusal(address, internal=False, plain=False):
    """Why an address must not be connected to.

    :param str address: as the resolver gave it
    :param bool internal: whether the host was allowed as one of the internal network
    :param bool plain: whether the connection would not be encrypted
    :returns: ``metadata``, ``special``, ``internal``, ``plain`` or ``None``
    """
    judged = _judged(ip_address(address.partition("%")[0]))
    # Clouds hand out credentials there: no host of any network is called at these.
    if any(each.is_link_local or each in _METADATA for each in judged):
        return "metadata"
    loopback = any(each.is_loopback for each in judged)
    if not loopback and any(
        each.is_multicast or each.is_unspecified or each.is_reserved for each in judged
    ):
        return "special"
    if plain and not loopback:
        return "plain"
    if not internal and not all(map(_is_public, judged)):
        return "internal"
    return None


def _is_public(address):
    return address.is_global and not any(address in each for each in _INTERNAL)


def _judged(address):
    """The addresses that an address stands for."""
    if isinstance(address, IPv4Address):
        return [address]
    if address.ipv4_mapped:
        return [address.ipv4_mapped]
    if address in _NAT64:
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    carried = [address.sixtofour, *(address.teredo or ())]
    return [address, *filter(None, carried)]
