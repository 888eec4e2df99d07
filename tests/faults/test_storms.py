"""Rows 78 and 79: clients that go away, and more of them than can be served."""

import asyncio
import json
import re
import statistics
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import asyncpg
import httpx
import pytest

from tests.support.proxy import proxy_to
from tests.support.server import free_port, run_server

pytestmark = pytest.mark.faults
_ABORTS, _AT_ONCE = 10_000, 50
_REQUEST = b"GET /users/noise_1/posts HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n"
_SECONDS = 6.0


async def test_ten_thousand_disconnecting_clients_leave_nothing_behind(
    fresh_database_url: str, redis_url: str, tmp_path: Path
) -> None:
    metrics = free_port()
    settings = {"METRICS_PORT": str(metrics), "LOG_LEVEL": "error"}
    with ExitStack() as stack:
        server = run_server(fresh_database_url, redis_url, tmp_path / "log", **settings)
        port, process = stack.enter_context(server)
        places = asyncio.Semaphore(_AT_ONCE)

        async def abort(number: int) -> None:
            async with places:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(_REQUEST[: -(number % 3)] if number % 3 else _REQUEST)
                await asyncio.sleep(0.001 * (number % 17))
                writer.transport.abort()

        await asyncio.gather(*(abort(number) for number in range(_ABORTS)))
        await asyncio.sleep(6)  # the gauges are looked at every five seconds
        async with httpx.AsyncClient() as client:
            shown = (await client.get(f"http://127.0.0.1:{metrics}/metrics")).text
        connections, forgotten = await _activity(fresh_database_url)

        assert await status(port) == 200
        assert (connections <= 12, forgotten) == (True, 0)
        assert gauge(shown, "wxc_database_connections_in_use") <= 1  # the poll for ended sessions
        assert gauge(shown, "wxc_requests_in_flight") == 0
        process.terminate()
        assert process.wait(20) == 0


def gauge(shown: str, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", shown, re.MULTILINE)
    assert found, shown
    return float(found[1])


async def _activity(database_url: str) -> tuple[int, int]:
    """The server's connections, and how many of them sit in a transaction that nobody goes on with.

    A moment in one is nothing: the pool's ping has one of its own.
    """
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    row = await connection.fetchrow(
        "SELECT count(*) AS connections, count(*) FILTER (WHERE state LIKE 'idle in transaction%'"
        " AND state_change < clock_timestamp() - interval '1 second') AS forgotten"
        " FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await connection.close()
    assert row
    return row["connections"], row["forgotten"]


async def test_five_times_the_load_that_it_bears_is_shed_and_the_rest_served(
    fresh_database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """The database is slow, so that what is measured is not this machine."""
    log = tmp_path / "log"
    async with proxy_to(fresh_database_url) as (wire, url):
        with ExitStack() as stack:
            server = run_server(url, redis_url, log, REQUESTS_IN_FLIGHT="24")
            port, _ = await asyncio.to_thread(stack.enter_context, server)
            assert await status(port) == 200
            wire.delay = 0.05
            peak = await closed_loop(port)
            answers = await open_loop(port, 5 * peak)
            recovered = await seconds_until_quick(port)

    shed = shed_milliseconds(log)
    assert set(answers) == {200, 503}
    assert answers[200] / _SECONDS >= 0.8 * peak
    assert len(shed) >= answers[503] > answers[200]
    assert statistics.quantiles(shed, n=20)[-1] < 50
    assert recovered < 5


async def status(port: int) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(_REQUEST)
    answer = await reader.read()
    writer.close()
    assert answer.startswith(b"HTTP/1.1 200") or b"\r\nretry-after: " in answer
    return int(answer[9:12])


async def closed_loop(port: int) -> float:
    """What it serves in a second when as many ask as it has connections."""
    until = time.monotonic() + _SECONDS / 2

    async def ask() -> int:
        run_server = 0
        while time.monotonic() < until:
            run_server += await status(port) == 200
        return run_server

    return sum(await asyncio.gather(*(ask() for _ in range(12)))) / (_SECONDS / 2)


async def open_loop(port: int, rate: float) -> Counter[int]:
    """Ask so often, whoever is still waiting."""
    asked, began = [], time.monotonic()
    for number in range(int(rate * _SECONDS)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        asked.append(asyncio.create_task(status(port)))
    return Counter(await asyncio.gather(*asked))


async def seconds_until_quick(port: int) -> float:
    began = time.monotonic()
    while True:
        asked = time.monotonic()
        if await status(port) == 200 and time.monotonic() - asked < 1:
            return time.monotonic() - began


def shed_milliseconds(log: Path) -> list[float]:
    """How long the server took for each request that was too many."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [line["milliseconds"] for line in lines if line.get("status") == 503]
