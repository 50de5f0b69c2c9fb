"""Which hosts are this machine's own, whatever the network."""

import ipaddress


def is_loopback(host: str | None) -> bool:
    """`localhost`, 127.0.0.0/8 and ::1, also as an IPv4 address within IPv6."""
    if host is None:
        return False
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host.lower() == "localhost"
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return (mapped or address).is_loopback
