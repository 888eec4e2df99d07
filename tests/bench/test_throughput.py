"""The benches of throughput measure what they say, and notice when they cannot."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.factories import make_follow, make_like, make_post, make_user

from bench import __main__ as names
from bench import data, limit, load, machine, throughput
from bench.load import Request, Round
from bench.workloads import WORKLOADS
from wxc.core.config import Config

QUIET = Round(900.0, 30.0, 60.0, 1100.0, 800.0, 0.5)


async def test_the_limit_answers_with_the_feed_of_the_product(
    member: Member, connection: AsyncConnection, config: Config
) -> None:
    """In the test's transaction, so that both see the same rows."""
    ada, bob = await member("ada"), await make_user(connection, "bob")
    await make_follow(connection, ada.id, bob)
    for author in (ada.id, bob, bob):
        await make_like(connection, ada.id, await make_post(connection, author))
    raw = (await connection.get_raw_connection()).driver_connection

    class Pool:
        async def fetch(self, sql: str, *parameters: Any) -> Any:
            assert raw is not None
            return await raw.fetch(sql, *parameters)

    app = limit.Limit(config.database_url)
    app._pool = cast(Any, Pool())  # the one connection that sees the rows
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://limit.test"
    ) as bare:
        answer = (await bare.get(f"/feeds?me={ada.id}")).json()

    expected = (await ada.get("/feeds")).json()
    assert len(answer["items"]) == 3
    assert answer["items"] == expected["items"]


def test_another_member_is_another_parameter_and_the_same_statement() -> None:
    one, other = UUID(int=1), UUID(int=2)
    sql, parameters = limit.statement()

    assert "$1" in sql
    assert [me == one for me in parameters(one)] == [me == other for me in parameters(other)]


def test_cpu_time_is_that_of_a_whole_family() -> None:
    busy = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(10**7))'])"
    before = machine.cpu_of({os.getpid()})
    subprocess.run([sys.executable, "-c", busy], check=True)  # noqa: S603 - our own words
    spent = machine.cpu_of({os.getpid()}) - before

    assert spent > 50_000
    assert os.getpid() in machine.family_of(os.getppid())
    assert machine.cpu_of({2**22 + 1}) == 0  # nobody's


def test_a_round_that_the_host_disturbed_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = iter([9.0, 5.0, 0.1, 7.0, 8.0, 6.0])
    monkeypatch.setattr(load, "_run", lambda *_: replace(QUIET, steal=next(shares)))

    target: Any = None
    assert load._quiet_round(target, Path(), 1, 5).steal == 0.1
    assert load._quiet_round(target, Path(), 1, 5).steal == 6.0  # never quiet: it is shown


def test_the_script_holds_the_requests_as_lua_spells_them(tmp_path: Path) -> None:
    requests = [
        Request("/feeds", {"Cookie": "a=b"}),
        Request("/posts", {"X-A": 'say "hello"'}, "POST", '{"body": "a"}'),
    ]

    script = load._script(tmp_path / "a.lua", requests).read_text()

    assert 'wrk.format("GET", "/feeds", {["Cookie"] = "a=b"}, nil),' in script
    assert (
        r'wrk.format("POST", "/posts", {["X-A"] = "say \"hello\""}, "{\"body\": \"a\"}"),' in script
    )
    assert "at = at % #requests + 1" in script


def test_the_table_shows_medians_with_their_names(capsys: pytest.CaptureFixture[str]) -> None:
    rounds = [QUIET, replace(QUIET, p50=90.0), replace(QUIET, p50=31.0)]

    table = throughput._table({"feed": load._median(rounds)})

    assert table.splitlines()[1].split() == ["feed", "900", "31.0", "60.0", "1,100", "800", "0.5"]


def test_only_what_there_is_can_be_measured(capsys: pytest.CaptureFixture[str]) -> None:
    assert names.main(["nothing"]) == 2
    assert names.main([]) == 2

    said = capsys.readouterr().err
    assert all(name in said for name in ("login", "all", *WORKLOADS))
    page = (Path(throughput.__file__).parent / "README.md").read_text()
    assert all(f"`{name}`" in page for name in WORKLOADS)


def test_a_database_is_filled_once_and_anew_for_another_demo(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    run: list[list[str]] = []
    monkeypatch.setenv("DATABASE_URL", config.database_url)
    monkeypatch.setenv("REDIS_URL", config.redis_url)
    monkeypatch.setattr(subprocess, "run", lambda command, **_: run.append(command[1:]))

    urls = [data.filled(17), data.filled(17)]
    monkeypatch.setattr(data, "_fingerprint", lambda: "another")
    urls.append(data.filled(17))

    assert urls[0] == urls[1] != urls[2]
    assert run == [["migrate"], ["demo", "--members", "17"]] * 2


def test_the_report_can_be_read_by_programs(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = throughput._parser().parse_args(["--members", "300"])

    report = throughput._report({"feed": QUIET}, chosen)

    assert json.loads(json.dumps(report))["medians"]["feed"]["app_cpu"] == 1100.0
    assert "| feed | 900 |" in throughput._page({"feed": QUIET}, report)
