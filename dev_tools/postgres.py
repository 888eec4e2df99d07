"""A private PostgreSQL with PostGIS: one cluster that is kept, and throw-away ones for tests."""

import json
import re
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from dev_tools.console import StackError, note
from dev_tools.paths import (
    Account,
    locked,
    make_folder,
    remove_folder,
    service_account,
    write_private,
)
from dev_tools.ports import LOOPBACK, free_port
from dev_tools.processes import (
    Child,
    Program,
    Supervisor,
    end_of,
    environment_for_services,
)

ROLE = DATABASE = "wxc"
URL_PREFIX = f"postgresql+asyncpg://{ROLE}:"
# What a crash would destroy is thrown away anyway; it makes tests two to three times as fast.
CARELESS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# As on a server of its own; a checkpoint in the middle of a measurement would be measured as well.
MEASURED = {"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "1h"}
_BREW = ("opt/homebrew", "usr/local", "home/linuxbrew/.linuxbrew")
_DONE = "cluster.json"


@dataclass(frozen=True)
class Installation:
    """The programs of one PostgreSQL version, with PostGIS."""

    bin: Path
    major: int
    postgis: str

    def __str__(self) -> str:
        """Return what a person wants to know about it."""
        return f"PostgreSQL {self.major}, PostGIS {self.postgis} ({self.bin})"


@dataclass(frozen=True)
class Cluster:
    """A folder with the data and the log of a cluster, and the password that was set in it."""

    folder: Path
    installation: Installation
    password: str

    @property
    def data(self) -> Path:
        """The data directory."""
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """The log of the server."""
        return self.folder / "postgres.log"


def find_installation(system: Path = Path("/")) -> Installation | None:
    """Return the newest PostgreSQL that has PostGIS."""
    found = [*_debian(system), *_according_to_pg_config(system)]
    return max(found, key=lambda each: each.major, default=None)


def durable_cluster(state: Path, installation: Installation) -> Cluster:
    """Return the cluster that is kept between runs, made when it is not there."""
    folder = state / f"postgres-{installation.major}"
    if cluster := _finished(folder, installation):
        return cluster
    for other in state.glob("postgres-*"):
        if other != folder:
            note(f"The data of another version of PostgreSQL stay in {other}.")
    remove_folder(folder)
    cluster = copy_of_template(state, folder, installation)
    _run(cluster, "initdb", "--sync-only", "-D", str(cluster.data))
    _finish(cluster)
    return cluster


def copy_of_template(state: Path, folder: Path, installation: Installation) -> Cluster:
    """Return a new cluster: copying one takes a tenth of the time of making one."""
    template = _template(state, installation)
    make_folder(folder, _account())
    copied = subprocess.run(
        ["cp", "-a", str(template.data), str(folder / "data")],
        capture_output=True,
        text=True,
        check=False,
    )
    if copied.returncode:
        remove_folder(folder)
        raise StackError(f"Cannot copy {template.data} to {folder}:\n{copied.stderr.strip()}")
    return Cluster(folder, installation, template.password)


def start(supervisor: Supervisor, cluster: Cluster, settings: dict[str, str] | None = None) -> str:
    """Start the cluster's server, wait until it takes connections, and return its URL."""
    _forget_reused_pid(cluster.data)
    for _ in range(3):
        port = free_port()
        server = supervisor.start(_server(cluster, port, settings or {}))
        if server.comes_up(partial(_is_ready, cluster, server), seconds=120):
            return f"{URL_PREFIX}{cluster.password}@{LOOPBACK}:{port}/{DATABASE}"
        supervisor.stop(server)
        if "could not bind" not in cluster.log.read_text(errors="replace"):
            break
    raise StackError(f"PostgreSQL did not start. {end_of(cluster.log)}")


def query(installation: Installation, url: str, sql: str) -> str | None:
    """Return what a query to one of our servers prints; None when it fails."""
    server = urlsplit(url)
    asked = subprocess.run(
        [str(installation.bin / "psql"), "-XAt", "-c", sql],
        capture_output=True,
        text=True,
        check=False,
        env={
            **environment_for_services(),
            "PGHOST": LOOPBACK,
            "PGPORT": str(server.port),
            "PGUSER": ROLE,
            "PGDATABASE": DATABASE,
            "PGPASSWORD": server.password or "",
        },
    )
    return asked.stdout.strip() if asked.returncode == 0 else None


def _debian(system: Path) -> Iterator[Installation]:
    for control in system.glob("usr/share/postgresql/*/extension/postgis.control"):
        major = control.parents[1].name
        programs = system / "usr/lib/postgresql" / major / "bin"
        if (programs / "initdb").exists():
            yield Installation(programs, int(major), _postgis_version(control))


def _according_to_pg_config(system: Path) -> Iterator[Installation]:
    tools = [
        str(tool)
        for prefix in _BREW
        for tool in system.glob(f"{prefix}/opt/postgresql@*/bin/pg_config")
    ]
    if on_path := shutil.which("pg_config"):
        tools.append(on_path)
    for tool in tools:
        shown = subprocess.run(
            [tool, "--bindir", "--sharedir", "--version"],
            capture_output=True,
            text=True,
            check=False,
        )
        if installation := _from_pg_config(shown.stdout.splitlines()):
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


def _account() -> Account | None:
    return service_account("postgres")


def _template(state: Path, installation: Installation) -> Cluster:
    folder = state / f"template-{installation.major}-{installation.postgis}"
    with locked(state / "template.lock"):
        if cluster := _finished(folder, installation):
            return cluster
        note("Creating a database cluster (once) …")
        remove_folder(folder)
        cluster = Cluster(folder, installation, secrets.token_hex(16))
        _initialise(cluster)
        _finish(cluster)
        return cluster


def _initialise(cluster: Cluster) -> None:
    make_folder(cluster.folder, _account())
    password = cluster.folder / "password"
    write_private(password, cluster.password, _account())
    _run(
        cluster,
        "initdb",
        *("-D", str(cluster.data), f"--username={ROLE}", f"--pwfile={password}"),
        *("--auth=scram-sha-256", "--encoding=UTF8", f"--locale={_locale()}", "--no-sync"),
    )
    password.unlink()
    # Every database that is made later is a copy of template1, so the extension comes at no cost.
    sql = f"CREATE EXTENSION postgis;\nCREATE DATABASE {DATABASE};\n"
    single = ("--single", "-c", "fsync=off", "-D", str(cluster.data), "template1")
    log = _run(cluster, "postgres", *single, stdin=sql)
    if "ERROR:" in log.read_text(errors="replace"):  # which a single-user session survives
        raise StackError(f"PostGIS cannot be used. {end_of(log)}")


def _locale() -> str:
    return "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"


def _run(cluster: Cluster, program: str, *arguments: str, stdin: str = "") -> Path:
    account = _account()
    log = cluster.folder / f"{program}.log"
    with log.open("wb") as output:
        ran = subprocess.run(
            [str(cluster.installation.bin / program), *arguments],
            input=stdin.encode(),
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
            env=environment_for_services(),
            cwd=cluster.folder,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    if ran.returncode:
        raise StackError(f"PostgreSQL could not make a cluster. {end_of(log)}")
    return log


def _finish(cluster: Cluster) -> None:
    """Write, as the last thing, that the cluster is whole: one without this is made anew."""
    write_private(cluster.folder / _DONE, json.dumps({"password": cluster.password}))


def _finished(folder: Path, installation: Installation) -> Cluster | None:
    with suppress(FileNotFoundError, ValueError, KeyError):
        content = json.loads((folder / _DONE).read_text())
        return Cluster(folder, installation, content["password"])
    return None


def _server(cluster: Cluster, port: int, settings: dict[str, str]) -> Program:
    everything = {
        "listen_addresses": LOOPBACK,
        "port": str(port),
        "unix_socket_directories": "",  # their paths must be short, which no checkout promises
        **settings,
    }
    options = [part for name, value in everything.items() for part in ("-c", f"{name}={value}")]
    return Program(
        name="PostgreSQL",
        command=[str(cluster.installation.bin / "postgres"), "-D", str(cluster.data), *options],
        env=environment_for_services(),
        cwd=cluster.folder,
        account=_account(),
        log=cluster.log,
        farewells=(signal.SIGINT, signal.SIGQUIT),  # its fast, then its immediate shutdown
    )


def _is_ready(cluster: Cluster, server: Child) -> bool:
    """Tell whether the server takes connections: it says so in the last line of its pid file."""
    try:
        lines = (cluster.data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[0] == str(server.pid) and lines[7].strip() == "ready"


def _forget_reused_pid(data: Path) -> None:
    """Remove a stale pid file, which blocks PostgreSQL when its pid is another process by now.

    Our lock is held and our orphans are stopped, so no server of ours is left. Should one be left
    all the same, PostgreSQL sees that its shared memory is in use, and does not start.
    """
    (data / "postmaster.pid").unlink(missing_ok=True)
