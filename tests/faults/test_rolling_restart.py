"""Row 75: twenty rolling restarts of two instances behind a load balancer; no request fails."""

import asyncio
import faulthandler
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.balancer import balanced
from tests.faults.load import Load, count_posts, register
from tests.support.server import RunningServer, free_port, run_server

RESTARTS = 20
_RECOVERY = 1.0  # seconds until the balancer uses a restarted instance
_SHUTDOWN_TIMEOUT = 25.0
_TEST_TIMEOUT = 400.0


@pytest.mark.faults
async def test_no_request_fails_while_instances_are_replaced(
    fresh_database_url: str, redis_url: str, tmp_path: Path
) -> None:
    faulthandler.dump_traceback_later(_TEST_TIMEOUT, exit=True)  # in place of pytest's shorter one
    ports = free_port(), free_port()
    log = tmp_path / "log"

    def start(stack: ExitStack, port: int) -> "asyncio.Future[RunningServer]":
        server = run_server(fresh_database_url, redis_url, log, port, SHUTDOWN_DELAY="1.5")
        return asyncio.get_running_loop().run_in_executor(None, stack.enter_context, server)

    with ExitStack() as stack, balanced(ports, tmp_path) as url:
        processes = [(await start(stack, port))[1] for port in ports]
        await asyncio.sleep(_RECOVERY)
        await register(url)
        load, ends = Load(url), []
        async with load.running():
            for number in range(RESTARTS):
                index = number % 2
                began = time.monotonic()
                processes[index].terminate()
                code = await asyncio.to_thread(processes[index].wait, 60)
                ends.append((code, time.monotonic() - began < _SHUTDOWN_TIMEOUT))
                processes[index] = (await start(stack, ports[index]))[1]
                await asyncio.sleep(_RECOVERY)

    assert load.failures == []
    assert ends == [(0, True)] * RESTARTS
    assert load.answered > RESTARTS * 100
    assert await count_posts(fresh_database_url) == load.written
