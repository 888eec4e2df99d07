"""PostgreSQL and Redis for the commands: persistent for development, temporary for tests."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev_tools import postgres, postgres_installation, redis
from dev_tools.console import DevError
from dev_tools.paths import ensure_state_directory, file_lock, remove_folder, this_checkout
from dev_tools.postgres_installation import Installation
from dev_tools.processes import Supervisor, stop_orphans

_RECORD = "processes.json"


@dataclass(frozen=True)
class Engines:
    """The URLs of the running engines."""

    database_url: str
    redis_url: str
    owner_url: str | None = None
    """The database for the owner of its schema, unless that is the role of `database_url`."""


@contextmanager
def temporary_engines(environ: Mapping[str, str] = os.environ) -> Iterator[Engines]:
    """Engines that are deleted on exit; `DATABASE_URL` and `REDIS_URL` each replace one.

    Several can run at the same time. The next start removes the leftovers of killed processes.
    """
    state = ensure_state_directory(this_checkout().root, environ)
    with _temporary_home(state) as home, Supervisor(home / _RECORD) as supervisor:
        yield Engines(
            environ.get("DATABASE_URL") or _start_temporary_postgres(supervisor, state, home),
            environ.get("REDIS_URL") or start_redis(supervisor, home),
        )


@contextmanager
def bench_engines(environ: Mapping[str, str] = os.environ) -> Iterator[Engines]:
    """Engines for measurements: one command at a time; the data stay for the next run."""
    folder = ensure_state_directory(this_checkout().root, environ) / "bench"
    folder.mkdir(mode=0o711, exist_ok=True)
    with file_lock(folder / "lock"), Supervisor(folder / _RECORD) as supervisor:
        yield Engines(
            environ.get("DATABASE_URL") or _start_bench_postgres(supervisor, folder),
            environ.get("REDIS_URL") or start_redis(supervisor, folder),
        )


def start_persistent_engines(
    supervisor: Supervisor, state: Path, settings: Mapping[str, str]
) -> Engines:
    """Start the development engines that no URL replaces; the caller holds the dev lock."""
    database_url, owner_url = settings.get("DATABASE_URL"), None
    if not database_url:
        database_url, owner_url = _start_persistent_postgres(supervisor, state)
    redis_url = settings.get("REDIS_URL") or start_redis(supervisor, state)
    return Engines(database_url, redis_url, owner_url)


def start_redis(supervisor: Supervisor, home: Path) -> str:
    """Start a Redis without persistence and return its URL."""
    program = redis.find_program()
    if not program:
        raise DevError("Neither redis-server nor valkey-server is installed. Set REDIS_URL.")
    return redis.start(supervisor, home / "redis", program)


def require_postgres() -> Installation:
    """Return the installed PostgreSQL; raises `DevError` if there is none with PostGIS."""
    installation = postgres_installation.find_installation()
    if not installation:
        raise DevError("PostgreSQL with PostGIS is not installed. Set DATABASE_URL.")
    return installation


def _start_persistent_postgres(supervisor: Supervisor, state: Path) -> tuple[str, str]:
    """Return the URLs of the service and of the schema's owner."""
    cluster = postgres.persistent_cluster(state, require_postgres())
    url = postgres.start(supervisor, cluster)
    return postgres.service_url(cluster, url), url


def _start_bench_postgres(supervisor: Supervisor, folder: Path) -> str:
    cluster = postgres.persistent_cluster(folder, require_postgres())
    return postgres.start(supervisor, cluster, postgres.BENCH)


def _start_temporary_postgres(supervisor: Supervisor, state: Path, home: Path) -> str:
    cluster = postgres.copy_template(state, home / "postgres", require_postgres())
    return postgres.start(supervisor, cluster, postgres.UNSAFE_FAST)


@contextmanager
def _temporary_home(state: Path) -> Iterator[Path]:
    """Yield a new folder, locked as long as this process runs."""
    parent = state / "throwaway"
    parent.mkdir(mode=0o711, exist_ok=True)
    with file_lock(parent / "lock"):  # so that no other process removes the new folder
        _remove_abandoned_homes(parent)
        home = Path(tempfile.mkdtemp(dir=parent))
        home.chmod(0o711)
        ownership = file_lock(home / "lock")
        ownership.__enter__()
    try:
        yield home
    finally:
        remove_folder(home)
        ownership.__exit__(None, None, None)


def _remove_abandoned_homes(parent: Path) -> None:
    for folder in parent.iterdir():
        if folder.is_dir():
            _remove_if_abandoned(folder)


def _remove_if_abandoned(home: Path) -> None:
    with file_lock(home / "lock", blocking=False) as is_abandoned:
        if is_abandoned:
            stop_orphans(home / _RECORD)
            remove_folder(home)
