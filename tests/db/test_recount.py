"""Wrong counters are found and repaired."""

import json

import asyncpg
import pytest
from tests.support.worker_threads import run_in_own_thread
from typer.testing import CliRunner

from wxc.cli import database
from wxc.cli import main as cli
from wxc.core.config import Config
from wxc.db import recount
from wxc.db.recount import COUNTERS

run = CliRunner()
NAMES = [f"{table.__tablename__}.{name}" for table, names in COUNTERS.items() for name in names]


async def execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    await connection.execute(statement)
    await connection.close()


@pytest.fixture
def config(config: Config, fresh_database_url: str) -> Config:
    return config.model_copy(update={"database_url": fresh_database_url})


@pytest.fixture
def _environment(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "read_config", lambda: config)


def test_every_counter_of_the_schema_is_recounted() -> None:
    columns = {
        f"{table.__tablename__}.{column.name}"
        for table in COUNTERS
        for column in table.__table__.columns
        if column.name.endswith("_count")
    }

    assert set(NAMES) == columns


@pytest.mark.parametrize("name", NAMES)
async def test_only_a_wrong_counter_is_found_and_repaired(
    config: Config, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recount, "BATCH_SIZE", 2)  # less than the seeded rows
    table, column = name.split(".")
    if column == "replies_count":
        await execute(config.database_url, "UPDATE comments SET children_count = 90")
        await recount.recount(config, repair=True)
        await execute(config.database_url, "UPDATE comments SET replies_count = 0")
        expected = 4
    else:
        await execute(config.database_url, f"UPDATE {table} SET {column} = 7")  # noqa: S608
        expected = 4 if table != "comments" else 8

    found = await recount.recount(config, repair=False)
    repaired = await recount.recount(config, repair=True)
    again = await recount.recount(config, repair=False)

    assert {drift.counter: drift.drifted for drift in found if drift.drifted} == {name: expected}
    assert {drift.counter: drift.repaired for drift in repaired if drift.repaired} == {
        name: expected
    }
    assert [drift for drift in again if drift.drifted] == []


@pytest.mark.usefixtures("_environment")
async def test_the_command_fails_unless_all_wrong_counters_are_repaired(config: Config) -> None:
    await execute(config.database_url, "UPDATE posts SET likes_count = 7")

    async def invoke(*options: str) -> tuple[int, str]:
        result = await run_in_own_thread(run.invoke, cli.app, ["recount", *options])
        return result.exit_code, result.output

    code, output = await invoke()
    assert code == 1
    assert "posts.likes_count        4 wrong, 0 repaired" in output
    code, output = await invoke("--json", "--repair")
    assert code == 0
    expected = {"counter": "posts.likes_count", "drifted": 4, "repaired": 4}
    assert expected in json.loads(output)
    assert (await invoke("--json"))[0] == 0
