import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.database import owner_url
from tests.support.factories import make_block, make_follow, make_like, make_post, make_user

from bench import __main__ as names
from bench import data, limit, load, machine, report, wrk
from bench.load import Findings, Round
from bench.options import parse_options
from bench.wrk import Request
from wxc.core.config import Config
from wxc.models import Notification, Post, PostLike

QUIET = Round(900.0, 30.0, 60.0, 2.5, 1100.0, 800.0, 0.5)


class Pool:
    """Replaces the pool by the test's connection, which sees the test's uncommitted rows."""

    def __init__(self, raw: Any) -> None:
        self.fetch, self.fetchrow = raw.fetch, raw.fetchrow


@pytest.fixture
async def bare(connection: AsyncConnection, config: Config) -> AsyncIterator[httpx.AsyncClient]:
    """The bare application, in the test's transaction like the product."""
    app = limit.Limit(config.database_url)
    app._pool = cast(Any, Pool((await connection.get_raw_connection()).driver_connection))
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://limit.test") as client:
        yield client


async def test_the_limit_returns_the_feed_of_the_product(
    member: Member, connection: AsyncConnection, bare: httpx.AsyncClient
) -> None:
    ada, bob = await member("ada"), await make_user(connection, "bob")
    await make_follow(connection, ada.id, bob)
    for author in (ada.id, bob, bob):
        await make_like(connection, ada.id, await make_post(connection, author))

    answer = (await bare.get(f"/feeds?me={ada.id}")).json()

    expected = (await ada.get("/feeds")).json()
    assert len(answer["items"]) == 3
    assert answer["items"] == expected["items"]


async def test_the_limit_of_a_like_writes_the_same_rows_as_the_product(
    member: Member, connection: AsyncConnection, bare: httpx.AsyncClient
) -> None:
    ada, bob = await member("ada"), await make_user(connection, "bob")
    posts, reference_posts = [
        [await make_post(connection, author) for author in (bob, ada.id)] for _ in range(2)
    ]

    for method in ("POST", "POST", "DELETE", "DELETE", "POST"):
        for post, reference in zip(posts, reference_posts, strict=True):
            answer = await bare.request(method, f"/posts/{post}/like?me={ada.id}")
            expected = await ada.request(method, f"/posts/{reference}/like")
            assert answer.json() == expected.json()
            assert await _traces(connection, post) == await _traces(connection, reference)


@pytest.mark.parametrize("is_blocker", [True, False])
async def test_the_limit_of_a_like_is_refused_across_a_block(
    connection: AsyncConnection, bare: httpx.AsyncClient, is_blocker: bool
) -> None:
    ada, bob = [await make_user(connection, name) for name in ("ada", "bob")]
    post = await make_post(connection, bob)
    await make_block(connection, *((ada, bob) if is_blocker else (bob, ada)))

    answer = await bare.post(f"/posts/{post}/like?me={ada}")

    assert answer.status_code == 404
    assert await _traces(connection, post) == (0, [], [])


async def _traces(connection: AsyncConnection, post: UUID) -> tuple[int, list[Any], list[Any]]:
    """The counter, the likes and the notifications of a post, without ids and times."""
    count = select(Post.likes_count).where(Post.id == post)
    likes = select(PostLike.user_id).where(PostLike.post_id == post)
    notifications = select(
        Notification.recipient_id,
        Notification.type,
        Notification.actor_id,
        Notification.subject_id == post,
        Notification.group_id == post,
        Notification.comment_id,
        Notification.read_at,
        Notification.hidden_at.is_(None),
    ).where(Notification.post_id == post)
    return (
        (await connection.execute(count)).scalar_one(),
        list((await connection.execute(likes)).scalars()),
        [tuple(row) for row in await connection.execute(notifications)],
    )


def test_the_limit_runs_the_same_statement_for_every_member() -> None:
    one, other = UUID(int=1), UUID(int=2)
    sql, parameters = limit.statement()

    assert "$1" in sql
    assert [me == one for me in parameters(one)] == [me == other for me in parameters(other)]


def test_cpu_time_includes_child_processes() -> None:
    busy = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(10**7))'])"
    before = machine.cpu_microseconds({os.getpid()})
    subprocess.run([sys.executable, "-c", busy], check=True)  # noqa: S603 - constants
    spent = machine.cpu_microseconds({os.getpid()}) - before

    assert spent > 50_000
    assert os.getpid() in machine.process_tree(os.getppid())
    assert machine.cpu_microseconds({2**22 + 1}) == 0  # no such process


def test_a_round_with_steal_is_repeated() -> None:
    shares = iter([9.0, 5.0, 0.1, 7.0, 8.0, 6.0])

    def run() -> Round:
        return replace(QUIET, steal=next(shares))

    assert load.quietest_round(run).steal == 0.1
    assert load.quietest_round(run).steal == 6.0  # all have steal: the least


def test_the_wrk_script_contains_the_requests_in_lua(tmp_path: Path) -> None:
    requests = [
        Request("/feeds", {"Cookie": "a=b"}),
        Request("/posts", {"X-A": 'say "hello"'}, "POST", '{"body": "a"}'),
    ]

    script = wrk.write_script(tmp_path / "a.lua", requests).read_text()

    assert 'wrk.format("GET", "/feeds", {["Cookie"] = "a=b"}, nil),' in script
    assert (
        r'wrk.format("POST", "/posts", {["X-A"] = "say \"hello\""}, "{\"body\": \"a\"}"),' in script
    )
    assert "at = at % #requests + 1" in script


def test_the_table_shows_medians_by_name() -> None:
    rounds = [QUIET, replace(QUIET, p50=90.0), replace(QUIET, p50=31.0)]

    table = report.text(Findings({"feed": load._median(rounds)}), [], parse_options([]))

    assert table.splitlines()[1].split() == [
        *("feed", "900", "31.0", "60.0", "2.50", "1,100", "800", "0.5")
    ]


def test_an_unknown_bench_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert names.main(["nothing"]) == 2
    assert names.main([]) == 2

    output = capsys.readouterr().err
    assert all(name in output for name in ("login", "all", *names.BENCHES))
    page = (Path(names.__file__).parent / "README.md").read_text()
    assert all(f"`{name}`" in page for name in names.BENCHES)


def test_a_database_is_filled_once_for_each_version_of_the_demo(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    run: list[list[str]] = []
    monkeypatch.setenv("DATABASE_URL", owner_url(config.database_url))
    monkeypatch.setenv("REDIS_URL", config.redis_url)
    monkeypatch.setattr(subprocess, "run", lambda command, **_: run.append(command[1:]))

    urls = [data.filled_database(17), data.filled_database(17)]
    monkeypatch.setattr(data, "_fingerprint", lambda *_: "another")
    urls.append(data.filled_database(17))

    assert urls[0] == urls[1] != urls[2]
    assert run == [["migrate"], ["demo", "--members", "17"]] * 2


def test_the_report_is_valid_json() -> None:
    findings, options = (
        Findings({"feed": QUIET}, {"logins/s": 18.0}),
        parse_options(["--members", "300"]),
    )

    facts = report.facts(findings, [], options)

    assert json.loads(json.dumps(facts))["medians"]["feed"]["app_cpu"] == 1100.0
    page = report.page(facts, findings, [])
    assert "| feed | 900 |" in page
    assert "| logins/s | 18.00 |" in page
