"""Private PostgreSQL with PostGIS: a persistent cluster, and temporary ones for tests."""

import json
import secrets
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from dev_tools.console import DevError, print_err
from dev_tools.paths import (
    Account,
    create_service_folder,
    file_lock,
    remove_folder,
    service_account,
    write_private_file,
)
from dev_tools.ports import LOOPBACK, find_free_port
from dev_tools.postgres_installation import Installation
from dev_tools.processes import (
    Child,
    Program,
    Supervisor,
    log_tail,
    service_environment,
)

ROLE = DATABASE = "wxc"
SERVICE_ROLE = "wxc_service"
URL_PREFIX = f"postgresql+asyncpg://{ROLE}:"
# Not crash-safe, for clusters that are deleted anyway: tests run two to three times as fast.
UNSAFE_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# As on a dedicated server; no checkpoint falls into a measurement.
BENCH = {"shared_buffers": "1GB", "max_wal_size": "8GB", "checkpoint_timeout": "1h"}
# The values of slow and failed statements contain password hashes and addresses.
_PRIVATE_LOG = {
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
}
_COMPLETE_MARKER = "cluster.json"
_MAX_ATTEMPTS = 3
_START_TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Cluster:
    """A database cluster: the folder of its data and log, and the password of its role."""

    folder: Path
    installation: Installation
    password: str

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> Path:
        """The log of the server, overwritten at each start."""
        return self.folder / "postgres.log"


def persistent_cluster(state: Path, installation: Installation) -> Cluster:
    """Return the persistent cluster; create it if it is missing or incomplete."""
    folder = state / f"postgres-{installation.major}"
    if cluster := _load_if_complete(folder, installation):
        return cluster
    for other in state.glob("postgres-*"):
        if other != folder:
            print_err(f"The data of another PostgreSQL version remain in {other}.")
    remove_folder(folder)
    cluster = copy_template(state, folder, installation)
    _run(cluster, "initdb", "--sync-only", "-D", str(cluster.data))
    _mark_complete(cluster)
    return cluster


def copy_template(state: Path, folder: Path, installation: Installation) -> Cluster:
    """Return a new cluster, copied from the template in a tenth of the time of `initdb`."""
    template = _template(state, installation)
    create_service_folder(folder, _account())
    copied = subprocess.run(
        ["cp", "-a", str(template.data), str(folder / "data")],
        capture_output=True,
        text=True,
        check=False,
    )
    if copied.returncode:
        remove_folder(folder)
        raise DevError(f"Cannot copy {template.data} to {folder}:\n{copied.stderr.strip()}")
    return Cluster(folder, installation, template.password)


def start(supervisor: Supervisor, cluster: Cluster, settings: dict[str, str] | None = None) -> str:
    """Start the cluster's server, wait until it accepts connections, and return its URL."""
    _remove_stale_pid_file(cluster.data)
    for _ in range(_MAX_ATTEMPTS):
        port = find_free_port()
        server = supervisor.start(_server_program(cluster, port, settings or {}))
        if server.wait_until_ready(partial(_is_ready, cluster, server), _START_TIMEOUT_SECONDS):
            return f"{URL_PREFIX}{cluster.password}@{LOOPBACK}:{port}/{DATABASE}"
        supervisor.stop(server)
        if "could not bind" not in cluster.log.read_text(errors="replace"):
            break
    raise DevError(f"PostgreSQL did not start. {log_tail(cluster.log)}")


def service_url(cluster: Cluster, url: str) -> str:
    """Return the URL for the service's role, which is created if it is missing.

    `wxc migrate` grants its rights. The password is the cluster's: it protects from other users of
    this machine only.
    """
    create = (
        f"DO $$ BEGIN CREATE ROLE {SERVICE_ROLE} LOGIN PASSWORD '{cluster.password}'; "
        "EXCEPTION WHEN duplicate_object THEN END $$"
    )
    if query(cluster.installation, url, create) is None:
        raise DevError(f"The role {SERVICE_ROLE} could not be created. {log_tail(cluster.log)}")
    return url.replace(f"//{ROLE}:", f"//{SERVICE_ROLE}:", 1)


def query(installation: Installation, url: str, sql: str) -> str | None:
    """Run a query on one of our servers and return the output of psql; None if it fails."""
    server = urlsplit(url)
    ran = subprocess.run(
        [str(installation.bin / "psql"), "-XAt", "-c", sql],
        capture_output=True,
        text=True,
        check=False,
        env={
            **service_environment(),
            "PGHOST": LOOPBACK,
            "PGPORT": str(server.port),
            "PGUSER": server.username or ROLE,
            "PGDATABASE": DATABASE,
            "PGPASSWORD": server.password or "",
        },
    )
    return ran.stdout.strip() if ran.returncode == 0 else None


def _account() -> Account | None:
    return service_account("postgres")


def _template(state: Path, installation: Installation) -> Cluster:
    folder = state / f"template-{installation.major}-{installation.postgis}"
    with file_lock(state / "template.lock"):
        if cluster := _load_if_complete(folder, installation):
            return cluster
        print_err("Creating a database cluster (once) ...")
        remove_folder(folder)
        cluster = Cluster(folder, installation, secrets.token_hex(16))
        _initialise(cluster)
        _mark_complete(cluster)
        return cluster


def _initialise(cluster: Cluster) -> None:
    create_service_folder(cluster.folder, _account())
    password = cluster.folder / "password"
    write_private_file(password, cluster.password, _account())
    _run(
        cluster,
        "initdb",
        *("-D", str(cluster.data), f"--username={ROLE}", f"--pwfile={password}"),
        *("--auth=scram-sha-256", "--encoding=UTF8", f"--locale={_locale()}", "--no-sync"),
    )
    password.unlink()
    # Every new database is a copy of template1 and has the extension without further work.
    sql = f"CREATE EXTENSION postgis;\nCREATE DATABASE {DATABASE};\n"
    single = ("--single", "-c", "fsync=off", "-D", str(cluster.data), "template1")
    log = _run(cluster, "postgres", *single, stdin=sql)
    if "ERROR:" in log.read_text(errors="replace"):  # the exit code is 0 in single-user mode
        raise DevError(f"PostGIS does not work. {log_tail(log)}")


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
            env=service_environment(),
            cwd=cluster.folder,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
        )
    if ran.returncode:
        raise DevError(f"PostgreSQL could not create a cluster. {log_tail(log)}")
    return log


def _mark_complete(cluster: Cluster) -> None:
    """Write the marker, as the last step: a cluster without it is created again."""
    write_private_file(
        cluster.folder / _COMPLETE_MARKER, json.dumps({"password": cluster.password})
    )


def _load_if_complete(folder: Path, installation: Installation) -> Cluster | None:
    with suppress(FileNotFoundError, ValueError, KeyError):
        content = json.loads((folder / _COMPLETE_MARKER).read_text())
        return Cluster(folder, installation, content["password"])
    return None


def _server_program(cluster: Cluster, port: int, settings: dict[str, str]) -> Program:
    all_settings = {
        "listen_addresses": LOOPBACK,
        "port": str(port),
        "unix_socket_directories": "",  # their paths must be short, those of checkouts may be long
        **_PRIVATE_LOG,
        **settings,
    }
    options = [part for name, value in all_settings.items() for part in ("-c", f"{name}={value}")]
    return Program(
        name="PostgreSQL",
        command=[str(cluster.installation.bin / "postgres"), "-D", str(cluster.data), *options],
        env=service_environment(),
        cwd=cluster.folder,
        account=_account(),
        log=cluster.log,
        stop_signals=(signal.SIGINT, signal.SIGQUIT),  # fast shutdown, then immediate shutdown
    )


def _is_ready(cluster: Cluster, server: Child) -> bool:
    """Return whether the server accepts connections, from the last line of its pid file."""
    try:
        lines = (cluster.data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return False
    return len(lines) > 7 and lines[0] == str(server.pid) and lines[7].strip() == "ready"


def _remove_stale_pid_file(data: Path) -> None:
    """Remove a stale pid file: PostgreSQL refuses to start if another process has its pid now.

    The caller holds the lock and has stopped the orphans, so none of our servers is running. If one
    is running nevertheless, PostgreSQL finds its shared memory in use and does not start.
    """
    (data / "postmaster.pid").unlink(missing_ok=True)
