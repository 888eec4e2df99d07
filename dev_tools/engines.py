"""PostgreSQL and Redis as the commands need them: kept for development, thrown away after tests."""

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dev_tools import postgres, redis
from dev_tools.console import StackError
from dev_tools.paths import locked, remove_folder, state_directory, this_checkout
from dev_tools.postgres import Installation
from dev_tools.processes import Supervisor, stop_orphans

_RECORD = "processes.json"


@dataclass(frozen=True)
class Engines:
    """Where the engines are."""

    database_url: str
    redis_url: str


@contextmanager
def engines(environ: Mapping[str, str] = os.environ) -> Iterator[Engines]:
    """Lend throw-away engines; `DATABASE_URL` and `REDIS_URL`, each on its own, take precedence.

    Any number of these run side by side. What a killed one has left is cleared away by the next.
    """
    state = state_directory(this_checkout().root, environ)
    with _throwaway_home(state) as home, Supervisor(home / _RECORD) as supervisor:
        yield Engines(
            environ.get("DATABASE_URL") or _throwaway_postgres(supervisor, state, home),
            environ.get("REDIS_URL") or start_redis(supervisor, home),
        )


@contextmanager
def kept_engines(environ: Mapping[str, str] = os.environ) -> Iterator[Engines]:
    """Lend engines to measure: the data stay for the next time, and nobody else is using them."""
    folder = state_directory(this_checkout().root, environ) / "bench"
    folder.mkdir(mode=0o711, exist_ok=True)
    with locked(folder / "lock"), Supervisor(folder / _RECORD) as supervisor:
        yield Engines(
            environ.get("DATABASE_URL") or _measured_postgres(supervisor, folder),
            environ.get("REDIS_URL") or start_redis(supervisor, folder),
        )


def start_durable(supervisor: Supervisor, state: Path, chosen: Mapping[str, str]) -> Engines:
    """Start the engines for development, as far as none are chosen; the dev lock must be held."""
    return Engines(
        chosen.get("DATABASE_URL") or _durable_postgres(supervisor, state),
        chosen.get("REDIS_URL") or start_redis(supervisor, state),
    )


def start_redis(supervisor: Supervisor, home: Path) -> str:
    """Start a Redis that forgets everything when it stops."""
    program = redis.find_program()
    if not program:
        raise StackError("There is neither redis-server nor valkey-server. Set REDIS_URL.")
    return redis.start(supervisor, home / "redis", program)


def installed_postgres() -> Installation:
    """Return the PostgreSQL to use."""
    installation = postgres.find_installation()
    if not installation:
        raise StackError("There is no PostgreSQL with PostGIS. Set DATABASE_URL.")
    return installation


def _durable_postgres(supervisor: Supervisor, state: Path) -> str:
    return postgres.start(supervisor, postgres.durable_cluster(state, installed_postgres()))


def _measured_postgres(supervisor: Supervisor, folder: Path) -> str:
    cluster = postgres.durable_cluster(folder, installed_postgres())
    return postgres.start(supervisor, cluster, postgres.MEASURED)


def _throwaway_postgres(supervisor: Supervisor, state: Path, home: Path) -> str:
    cluster = postgres.copy_of_template(state, home / "postgres", installed_postgres())
    return postgres.start(supervisor, cluster, postgres.CARELESS)


@contextmanager
def _throwaway_home(state: Path) -> Iterator[Path]:
    """Lend a folder; its lock tells those that clear up whether its owner still lives."""
    everyone = state / "throwaway"
    everyone.mkdir(mode=0o711, exist_ok=True)
    with locked(everyone / "lock"):  # or a folder might be cleared before its owner locks it
        _clear_leftovers(everyone)
        home = Path(tempfile.mkdtemp(dir=everyone))
        home.chmod(0o711)
        ownership = locked(home / "lock")
        ownership.__enter__()
    try:
        yield home
    finally:
        remove_folder(home)
        ownership.__exit__(None, None, None)


def _clear_leftovers(everyone: Path) -> None:
    for folder in everyone.iterdir():
        if not folder.is_dir():
            continue
        with locked(folder / "lock", wait=False) as abandoned:
            if abandoned:
                stop_orphans(folder / _RECORD)
                remove_folder(folder)
