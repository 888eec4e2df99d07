"""A TCP proxy between the application and an engine, which simulates outages."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit, urlunsplit


class Proxy:
    """Forwards bytes until it is cut (refuses, like a stopped engine) or frozen (discards).

    Forwarded bytes arrive `delay` seconds later, as from a distant or slow engine.
    """

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self._is_frozen = False
        self.delay = 0.0
        self.port = 0

    async def restore(self) -> None:
        """Forward (again), on the same port as before."""
        self._is_frozen = False
        if self._server is None:
            self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Close all connections and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in list(self._writers):
            writer.close()
        await asyncio.sleep(0.01)

    def freeze(self) -> None:
        """Accept connections but discard all bytes, like a stopped process."""
        self._is_frozen = True

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        engine_reader, engine_writer = await asyncio.open_connection(*self._target)
        if self._server is None:  # cut while connecting
            writer.close()
            engine_writer.close()
            return
        async with asyncio.TaskGroup() as pumps:
            pumps.create_task(self._pump(reader, engine_writer))
            pumps.create_task(self._pump(engine_reader, writer))

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                await asyncio.sleep(self.delay)
                if not self._is_frozen:
                    writer.write(data)
                    await writer.drain()
        self._writers.discard(writer)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


@asynccontextmanager
async def proxy_to(url: str) -> AsyncIterator[tuple[Proxy, str]]:
    """A proxy to the engine at `url`, and the address through it."""
    parts = urlsplit(url)
    proxy = Proxy(parts.hostname or "", parts.port or 0)
    await proxy.restore()
    login = parts.netloc.rpartition("@")[0]
    yield proxy, urlunsplit(parts._replace(netloc=f"{login}@127.0.0.1:{proxy.port}"))
    await proxy.cut()
