import os
import signal
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis

from dev_tools import postgres, postgres_installation, redis
from dev_tools.console import DevError
from dev_tools.engines import require_postgres, start_persistent_engines, temporary_engines
from dev_tools.paths import this_checkout
from dev_tools.ports import find_free_port
from dev_tools.postgres_installation import Installation
from dev_tools.processes import Supervisor, start_time, wait_until


async def fetch_value(database_url: str, sql: str) -> object:
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


def throwaway_folders(state: Path) -> list[Path]:
    return [path for path in (state / "throwaway").iterdir() if path.is_dir()]


async def test_temporary_engines_are_deleted_on_exit(environ: dict[str, str], state: Path) -> None:
    with temporary_engines(environ) as engines:
        assert (
            await fetch_value(engines.database_url, "SELECT ST_AsText(ST_MakePoint(1, 2))")
            == "POINT(1 2)"
        )
        assert await fetch_value(engines.database_url, "SHOW fsync") == "off"
        async with Redis.from_url(engines.redis_url) as client:
            assert await client.ping()

    assert throwaway_folders(state) == []


async def test_postgres_requires_the_password(environ: dict[str, str]) -> None:
    with temporary_engines(environ) as engines:
        wrong_url = engines.database_url.replace("wxc:", "wxc:x")

        with pytest.raises(asyncpg.InvalidPasswordError):
            await fetch_value(wrong_url, "SELECT 1")


async def test_concurrent_test_runs_have_separate_databases(environ: dict[str, str]) -> None:
    with temporary_engines(environ) as first:
        await fetch_value(first.database_url, "CREATE TABLE mine ()")
        with temporary_engines(environ) as second:
            assert await fetch_value(second.database_url, "SELECT to_regclass('mine')") is None
        assert await fetch_value(first.database_url, "SELECT to_regclass('mine')::text") == "mine"


def test_each_url_of_the_environment_replaces_its_engine(
    environ: dict[str, str], state: Path
) -> None:
    with temporary_engines({**environ, "DATABASE_URL": "mine", "REDIS_URL": "mine too"}) as engines:
        (home,) = throwaway_folders(state)

        assert (engines.database_url, engines.redis_url) == ("mine", "mine too")
        assert not (home / "postgres").exists()
        assert not (home / "redis").exists()

    with temporary_engines({**environ, "DATABASE_URL": "mine"}) as engines:
        assert engines.database_url == "mine"
        assert engines.redis_url.startswith("redis://:")


def test_leftovers_of_a_killed_test_run_are_removed(environ: dict[str, str], state: Path) -> None:
    script = (
        "import sys, time; from dev_tools.engines import temporary_engines; "
        "engines = temporary_engines(); engines.__enter__(); print('!', flush=True); time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=this_checkout().root,
        env={**os.environ, **environ},
        stdout=subprocess.PIPE,
    ) as killed:
        assert killed.stdout
        killed.stdout.readline()
        (home,) = throwaway_folders(state)
        pid = int((home / "postgres/data/postmaster.pid").read_text().splitlines()[0])
        killed.kill()

    with temporary_engines({**environ, "DATABASE_URL": "x", "REDIS_URL": "x"}):
        assert not home.exists()
        assert wait_until(lambda: start_time(pid) is None, 10)


async def test_development_data_survive_a_restart(state: Path) -> None:
    for expected in (None, "kept"):
        with Supervisor(state / "dev.json") as supervisor:
            engines = start_persistent_engines(supervisor, state, {"REDIS_URL": "none"})
            is_superuser = "SELECT rolsuper FROM pg_roles WHERE rolname = user"
            assert await fetch_value(engines.database_url, is_superuser) is False
            url = str(engines.owner_url)
            assert await fetch_value(url, "SELECT to_regclass('kept')::text") == expected
            await fetch_value(url, "CREATE TABLE IF NOT EXISTS kept ()")
            assert await fetch_value(url, "SHOW fsync") == "on"


async def test_a_stale_pid_file_does_not_block_the_start(state: Path) -> None:
    cluster = postgres.persistent_cluster(state, require_postgres())
    (cluster.data / "postmaster.pid").write_text(f"{os.getpid()}\n")

    with Supervisor(state / "dev.json") as supervisor:
        assert await fetch_value(postgres.start(supervisor, cluster), "SELECT 1") == 1


def test_an_interrupted_initdb_is_repeated(state: Path) -> None:
    installation = require_postgres()
    whole = postgres.persistent_cluster(state, installation)
    (whole.folder / "cluster.json").unlink()
    (whole.data / "PG_VERSION").unlink()
    (template,) = state.glob("template-*")
    (template / "cluster.json").unlink()
    (template / "data" / "PG_VERSION").unlink()

    again = postgres.persistent_cluster(state, installation)

    assert (again.data / "PG_VERSION").exists()
    assert again.password != whole.password


def test_data_of_another_postgres_version_are_reported(
    state: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (state / "postgres-9").mkdir()
    cluster = postgres.persistent_cluster(state, require_postgres())
    (cluster.folder / "cluster.json").unlink()

    postgres.persistent_cluster(state, require_postgres())

    assert str(state / "postgres-9") in capsys.readouterr().err
    (state / "postgres-9").rmdir()


def test_a_port_taken_by_another_process_is_replaced(
    state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = redis.find_program()
    assert program
    with Supervisor(tmp_path / "record") as supervisor:
        url = redis.start(supervisor, state / "redis-one", program)
        busy = int(url.rpartition(":")[2].removesuffix("/0"))
        free = find_free_port()
        ports = iter([busy, free] * 2)
        monkeypatch.setattr(redis, "find_free_port", lambda: next(ports))
        monkeypatch.setattr(postgres, "find_free_port", lambda: next(ports))

        assert redis.start(supervisor, state / "redis-two", program).endswith(f":{free}/0")
        supervisor.stop(supervisor._children[-1])
        cluster = postgres.persistent_cluster(state, require_postgres())
        assert postgres.start(supervisor, cluster).endswith(f":{free}/wxc")


def test_an_engine_that_fails_to_start_shows_its_log(state: Path, tmp_path: Path) -> None:
    cluster = postgres.persistent_cluster(state, require_postgres())

    with Supervisor(tmp_path / "record") as supervisor:
        with pytest.raises(DevError, match="unrecognized configuration parameter"):
            postgres.start(supervisor, cluster, {"nonsense": "1"})
        with pytest.raises(DevError, match=r"Redis did not start. The end of .*redis.log"):
            redis.start(supervisor, state / "redis-three", "/bin/false")


@pytest.mark.parametrize(
    ("initdb", "postgres_single", "message"),
    [
        ("echo No space left; exit 1", "true", "No space left"),
        ("true", "echo ERROR: no such extension", "PostGIS does not work"),
    ],
)
def test_a_cluster_that_cannot_be_created_shows_the_log(
    state: Path, initdb: str, postgres_single: str, message: str
) -> None:
    programs = state / "programs"
    programs.mkdir(exist_ok=True)
    for name, code in (("initdb", initdb), ("postgres", postgres_single)):
        (programs / name).write_text(f"#!/bin/sh\n{code}\n")
        (programs / name).chmod(0o755)

    with pytest.raises(DevError, match=message):
        postgres.copy_template(state, state / "new", Installation(programs, 0, "none"))


def test_a_failed_copy_of_the_template_is_explained(
    state: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installation = require_postgres()
    postgres.persistent_cluster(state, installation)
    failed = subprocess.CompletedProcess([], 1, "", "cp: No space left on device")
    monkeypatch.setattr(subprocess, "run", lambda *arguments, **more: failed)

    with pytest.raises(DevError, match="No space left on device"):
        postgres.copy_template(state, state / "copy", installation)

    assert not (state / "copy").exists()


def test_missing_engines_are_named(
    environ: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_installation, "find_installation", lambda: None)
    monkeypatch.setattr(redis, "find_program", lambda: None)

    with pytest.raises(DevError, match="DATABASE_URL"), temporary_engines(environ):
        pass
    with (
        pytest.raises(DevError, match="REDIS_URL"),
        temporary_engines({**environ, "DATABASE_URL": "x"}),
    ):
        pass


def test_postgres_is_stopped_by_a_fast_shutdown() -> None:
    cluster = postgres.Cluster(Path("/c"), Installation(Path("/b"), 15, "3"), "secret")

    program = postgres._server_program(cluster, 5432, {})

    assert program.stop_signals == (signal.SIGINT, signal.SIGQUIT)
    assert "secret" not in " ".join(program.command)
