"""Approximate locations of IP addresses, so that users can recognise their own sessions."""

import ipaddress
from typing import Any

import maxminddb

from wxc.core.config import Config

# Stored if the country is unknown; short enough not to identify a household.
_PREFIXES = {4: 24, 6: 48}


class GeoLocator:
    """Looks up countries in the database of `GEOIP_DATABASE`, if it is set."""

    def __init__(self, config: Config) -> None:
        path = config.geoip_database
        self._countries = maxminddb.open_database(path) if path is not None else None

    def locate(self, address: str) -> str | None:
        """The country's name in English, else the network; None for an invalid address."""
        ip = _parse(address)
        if ip is None:
            return None
        network = ipaddress.ip_network((ip, _PREFIXES[ip.version]), strict=False)
        return self.country(address) or str(network)

    def country(self, address: str) -> str | None:
        """The country's name in English; None if it is unknown or no database is configured."""
        ip = _parse(address)
        if ip is None or self._countries is None:
            return None
        record: Any = self._countries.get(str(ip)) or {}
        name = record.get("country", {}).get("names", {}).get("en")
        return str(name)[:64] if name else None


def _parse(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
