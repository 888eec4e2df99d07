"""Rows 78 and 79: clients that disconnect, and more requests than can be served."""

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
_ABORTS, _CONCURRENT = 10_000, 50
_REQUEST = b"GET /users/noise_1/posts HTTP/1.1\r\nHost: api\r\nConnection: close\r\n\r\n"
_SECONDS = 6.0


async def test_ten_thousand_disconnecting_clients_leak_no_connection_or_transaction(
    fresh_database_url: str, redis_url: str, tmp_path: Path
) -> None:
    metrics = free_port()
    settings = {"METRICS_PORT": str(metrics), "LOG_LEVEL": "error"}
    with ExitStack() as stack:
        server = run_server(fresh_database_url, redis_url, tmp_path / "log", **settings)
        port, process = stack.enter_context(server)
        slots = asyncio.Semaphore(_CONCURRENT)

        async def abort(number: int) -> None:
            async with slots:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(_REQUEST[: -(number % 3)] if number % 3 else _REQUEST)
                await asyncio.sleep(0.001 * (number % 17))
                writer.transport.abort()

        await asyncio.gather(*(abort(number) for number in range(_ABORTS)))
        await asyncio.sleep(6)  # the gauges are updated every five seconds
        async with httpx.AsyncClient() as client:
            shown = (await client.get(f"http://127.0.0.1:{metrics}/metrics")).text
        connections, idle = await _activity(fresh_database_url)

        assert await status(port) == 200
        assert (connections <= 12, idle) == (True, 0)
        assert gauge(shown, "wxc_database_connections_in_use") <= 1  # the poll for ended sessions
        assert gauge(shown, "wxc_requests_in_flight") == 0
        process.terminate()
        assert process.wait(20) == 0


def gauge(shown: str, name: str) -> float:
    found = re.search(rf"^{name} (\S+)$", shown, re.MULTILINE)
    assert found, shown
    return float(found[1])


async def _activity(database_url: str) -> tuple[int, int]:
    """The number of connections, and of those idle in a transaction for more than a second.

    Shorter ones are normal: the pool pings its connections in a transaction.
    """
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    row = await connection.fetchrow(
        "SELECT count(*) AS connections, count(*) FILTER (WHERE state LIKE 'idle in transaction%'"
        " AND state_change < clock_timestamp() - interval '1 second') AS idle"
        " FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    await connection.close()
    assert row
    return row["connections"], row["idle"]


async def test_at_five_times_its_capacity_the_server_sheds_the_excess_and_serves_the_rest(
    fresh_database_url: str, redis_url: str, tmp_path: Path
) -> None:
    """The database is delayed, so that the capacity does not depend on this machine."""
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
    """The successful requests per second of as many clients as the server has connections."""
    until = time.monotonic() + _SECONDS / 2

    async def send_requests() -> int:
        successes = 0
        while time.monotonic() < until:
            successes += await status(port) == 200
        return successes

    return sum(await asyncio.gather(*(send_requests() for _ in range(12)))) / (_SECONDS / 2)


async def open_loop(port: int, rate: float) -> Counter[int]:
    """Send requests at this rate, without waiting for responses; the statuses."""
    requests, began = [], time.monotonic()
    for number in range(int(rate * _SECONDS)):
        await asyncio.sleep(max(0.0, began + number / rate - time.monotonic()))
        requests.append(asyncio.create_task(status(port)))
    return Counter(await asyncio.gather(*requests))


async def seconds_until_quick(port: int) -> float:
    began = time.monotonic()
    while True:
        sent = time.monotonic()
        if await status(port) == 200 and time.monotonic() - sent < 1:
            return time.monotonic() - began


def shed_milliseconds(log: Path) -> list[float]:
    """The server's response times of the requests that it shed."""
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    return [line["milliseconds"] for line in lines if line.get("status") == 503]
