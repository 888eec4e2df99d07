from pathlib import Path

import pytest

from dev_tools.postgres_installation import Installation, find_installation


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


def install(programs: Path, shared: Path, postgis: str | None = "3.3.2") -> None:
    programs.mkdir(parents=True)
    (programs / "initdb").touch()
    if postgis:
        (shared / "extension").mkdir(parents=True)
        control = shared / "extension" / "postgis.control"
        control.write_text(f"comment = 'x'\ndefault_version = '{postgis}'\n")


def install_on_debian(system: Path, major: int, postgis: str | None = "3.3.2") -> None:
    install(
        system / f"usr/lib/postgresql/{major}/bin",
        system / f"usr/share/postgresql/{major}",
        postgis,
    )


def install_pg_config(folder: Path, shown: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    tool = folder / "pg_config"
    tool.write_text(f"#!/bin/sh\nprintf '{shown}'\n")
    tool.chmod(0o755)


def test_no_installation_is_found_on_an_empty_system(system: Path) -> None:
    assert find_installation(system) is None


def test_the_newest_version_with_postgis_is_used(system: Path) -> None:
    install_on_debian(system, 9)
    install_on_debian(system, 15)
    install_on_debian(system, 17, postgis=None)

    found = find_installation(system)

    assert found == Installation(system / "usr/lib/postgresql/15/bin", 15, "3.3.2")
    assert str(found).startswith("PostgreSQL 15, PostGIS 3.3.2 (")


def test_postgis_without_a_server_is_not_enough(system: Path) -> None:
    install_on_debian(system, 15)
    (system / "usr/lib/postgresql/15/bin/initdb").unlink()

    assert find_installation(system) is None


def test_homebrew_formulas_are_found(system: Path) -> None:
    prefix = system / "opt/homebrew/opt/postgresql@17"
    install(prefix / "lib/bin", prefix / "share")
    install_pg_config(
        prefix / "bin", f"{prefix}/lib/bin\\n{prefix}/share\\nPostgreSQL 17.2 (Homebrew)\\n"
    )

    found = find_installation(system)

    assert found == Installation(prefix / "lib/bin", 17, "3.3.2")


def test_a_pg_config_in_path_without_postgis_is_ignored(system: Path) -> None:
    install(system / "server", system / "share", postgis=None)
    install_pg_config(system / "bin", f"{system}/server\\n{system}/share\\nPostgreSQL 16.1\\n")

    assert find_installation(system) is None


def test_a_failing_pg_config_is_ignored(system: Path) -> None:
    install_pg_config(system / "bin", "")

    assert find_installation(system) is None
