from pathlib import Path

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet
from pydantic import ValidationError

from wxc.core.config import Config
from wxc.core.geoip import GeoLocator


@pytest.fixture
def countries(tmp_path: Path) -> Path:
    """A database in which 198.51.100.0/24 is in Portugal and 2001:db8::/32 in Japan."""
    writer = MMDBWriter(ip_version=6, ipv4_compatible=True, database_type="Countries")
    for network, code, name in (
        ("198.51.100.0/24", "PT", "Portugal"),
        ("2001:db8::/32", "JP", "Japan"),
    ):
        writer.insert_network(
            IPSet([network]), {"country": {"iso_code": code, "names": {"en": name}}}
        )
    writer.insert_network(IPSet(["203.0.113.0/24"]), {"registered_country": {"iso_code": "PT"}})
    path = tmp_path / "countries.mmdb"
    writer.to_db_file(str(path))
    return path


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("198.51.100.7", "Portugal"),
        ("2001:db8:1::7", "Japan"),
        ("192.0.2.77", "192.0.2.0/24"),
        ("203.0.113.9", "203.0.113.0/24"),
        ("2001:dead:beef:1::7", "2001:dead:beef::/48"),
        ("fe80::1%eth0", "fe80::/48"),
        ("local", None),
    ],
)
def test_an_address_is_located_by_country_or_else_by_network(
    config: Config, countries: Path, address: str, place: str | None
) -> None:
    locator = GeoLocator(config.model_copy(update={"geoip_database": countries}))

    assert locator.locate(address) == place


def test_an_address_is_located_by_network_without_a_database(config: Config) -> None:
    assert GeoLocator(config).locate("198.51.100.7") == "198.51.100.0/24"


def test_an_invalid_or_missing_database_file_prevents_the_start(
    config: Config, tmp_path: Path
) -> None:
    path = tmp_path / "countries.mmdb"
    path.write_text("no database")

    with pytest.raises(ValidationError, match="must be a database in MaxMind's format"):
        Config(**config.model_dump() | {"geoip_database": path})
    with pytest.raises(ValidationError, match="Path does not point to a file"):
        Config(**config.model_dump() | {"geoip_database": tmp_path / "none.mmdb"})
