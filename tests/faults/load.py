import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
import httpx

from tests.support.factories import PASSWORD

READERS, WRITERS = 3, 1
_PAUSE = 0.05  # seconds between two requests of one client


class Load:
    """Continuous clients, with counts of their successful requests and a list of the failures."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.answered = 0
        self.written = 0
        self.failures: list[str] = []
        self._is_over = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Send requests until the block ends, then wait for the pending ones except the stream.

        A write without a waiting client would be stored but not counted.
        """
        self._is_over = False
        async with asyncio.TaskGroup() as group:
            for act in [self._read] * READERS + [self._write] * WRITERS:
                group.create_task(self._client(act))
            listener = group.create_task(self._client(self._listen))
            yield
            self._is_over = True
            listener.cancel()

    async def _client(self, act: Callable[[httpx.AsyncClient], Awaitable[None]]) -> None:
        async with httpx.AsyncClient(base_url=self._url, timeout=15) as client:
            answer = await client.post("/login", json={"identifier": "ada", "password": PASSWORD})
            client.headers["X-CSRF-Token"] = answer.json()["csrf_token"]
            while not self._is_over:
                try:
                    await act(client)
                except httpx.TransportError as error:
                    self.failures.append(f"{act.__name__}: {error!r}")
                await asyncio.sleep(_PAUSE)

    async def _read(self, client: httpx.AsyncClient) -> None:
        self._record(await client.get("/feeds"))

    async def _write(self, client: httpx.AsyncClient) -> None:
        """Repeat a post once if it is refused with the code `retry`."""
        answer = await client.post("/posts", json={"body": "Still here."})
        if answer.status_code == 503 and answer.json().get("code") == "retry":
            answer = await client.post("/posts", json={"body": "Still here."})
        self._record(answer)
        self.written += answer.is_success

    async def _listen(self, client: httpx.AsyncClient) -> None:
        """Read the stream to its end; a broken connection is a failure."""
        async with client.stream("GET", "/notifications/stream", timeout=60) as stream:
            async for _ in stream.aiter_raw():
                pass
        self._record(stream)

    def _record(self, answer: httpx.Response) -> None:
        self.answered += 1
        if not answer.is_success:
            source = answer.headers.get("x-request-id", "the balancer")
            self.failures.append(f"{answer.request.method} {answer.status_code} by {source}")


async def register(url: str) -> None:
    account = {"username": "ada", "email": "ada@example.com", "password": PASSWORD}
    async with httpx.AsyncClient(base_url=url) as client:
        assert (await client.post("/register", json=account)).status_code == 201


async def count_posts(database_url: str) -> int:
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    count = await connection.fetchval("SELECT count(*) FROM posts WHERE body = 'Still here.'")
    await connection.close()
    return int(count)
