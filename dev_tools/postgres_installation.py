"""The PostgreSQL installations of this machine that have PostGIS."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_BREW_PREFIXES = ("opt/homebrew", "usr/local", "home/linuxbrew/.linuxbrew")


@dataclass(frozen=True)
class Installation:
    """An installed PostgreSQL version with PostGIS; `bin` is the folder of its programs."""

    bin: Path
    major: int
    postgis: str

    def __str__(self) -> str:
        """Return the versions and the folder, as `./dev doctor` shows them."""
        return f"PostgreSQL {self.major}, PostGIS {self.postgis} ({self.bin})"


def find_installation(system: Path = Path("/")) -> Installation | None:
    """Return the newest PostgreSQL with PostGIS."""
    found = [*_debian_installations(system), *_pg_config_installations(system)]
    return max(found, key=lambda installation: installation.major, default=None)


def _debian_installations(system: Path) -> Iterator[Installation]:
    for control in system.glob("usr/share/postgresql/*/extension/postgis.control"):
        major = control.parents[1].name
        programs = system / "usr/lib/postgresql" / major / "bin"
        if (programs / "initdb").exists():
            yield Installation(programs, int(major), _postgis_version(control))


def _pg_config_installations(system: Path) -> Iterator[Installation]:
    tools = [
        str(tool)
        for prefix in _BREW_PREFIXES
        for tool in system.glob(f"{prefix}/opt/postgresql@*/bin/pg_config")
    ]
    if on_path := shutil.which("pg_config"):
        tools.append(on_path)
    for tool in tools:
        ran = subprocess.run(
            [tool, "--bindir", "--sharedir", "--version"],
            capture_output=True,
            text=True,
            check=False,
        )
        if installation := _from_pg_config(ran.stdout.splitlines()):
            yield installation


def _from_pg_config(lines: list[str]) -> Installation | None:
    if len(lines) != 3:
        return None
    programs, shared, version = lines
    control = Path(shared, "extension", "postgis.control")
    major = re.search(r"\d+", version)
    if not major or not control.exists() or not Path(programs, "initdb").exists():
        return None
    return Installation(Path(programs), int(major[0]), _postgis_version(control))


def _postgis_version(control: Path) -> str:
    version = re.search(r"default_version\s*=\s*'([^']+)'", control.read_text())
    return version[1] if version else "unknown"
