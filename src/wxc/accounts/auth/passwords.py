"""Hashing passwords without stopping the world: Argon2id in a bounded, niced pool.

Parameters are OWASP's (Password Storage Cheat Sheet: m=19 MiB, t=2, p=1) unless configured.
"""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import ParamSpec, TypeVar

from pwdlib.hashers.argon2 import Argon2Hasher
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from wxc.accounts.auth.errors import HashingBusy
from wxc.core.config import Config

P = ParamSpec("P")
T = TypeVar("T")
_NICENESS = 10


class Passwords:
    """Hashes and verifies in few low-priority threads; argon2 releases the interpreter's lock.

    More callers than the queue holds, or a wait beyond the bound, are refused with
    `HashingBusy`. A caller who goes away does not free its place: the work goes on.

    A quarter of the queue is kept for callers that are `trusted`: those with a session, a
    known device or a mailed link. Else anonymous log-ins, which anyone can send from many
    addresses, would keep members from changing their passwords.
    """

    def __init__(self, config: Config) -> None:
        self._hasher = Argon2Hasher(
            time_cost=config.password_hash_rounds,
            memory_cost=config.password_hash_memory,
            parallelism=1,
        )
        self._pool = ThreadPoolExecutor(
            config.password_hash_workers, "argon2", initializer=_lower_priority
        )
        self._queue = self._places = config.password_hash_queue
        self._reserve = config.password_hash_queue // 4
        self._wait = config.password_hash_wait
        # Verified in place of an unknown account's hash, so that both take the same time.
        self._nobody = self._hasher.hash("nobody has this password")

    async def hash(self, password: str, *, trusted: bool = False) -> str:
        """The encoded hash of `password`, with its parameters and a fresh salt."""
        self.refuse_when_full(trusted=trusted)
        return await self._run(self._hasher.hash, password)

    async def verify(
        self, password: str, password_hash: str | None, *, trusted: bool = False
    ) -> bool:
        """Whether the hash is that of `password`; None costs the same and is never right."""
        self.refuse_when_full(trusted=trusted)
        is_right = await self._run(self._hasher.verify, password, password_hash or self._nobody)
        return is_right and password_hash is not None

    @property
    def waiting(self) -> int:
        """How many are being hashed, or wait for it."""
        return self._queue - self._places

    def refuse_when_full(self, *, trusted: bool = False) -> None:
        """Raise `HashingBusy` if there is no place in the queue, before a caller does more."""
        if self._places <= (0 if trusted else self._reserve):
            raise HashingBusy

    def needs_rehash(self, password_hash: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        """Let the threads end after what they are at."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        self._places -= 1
        loop = asyncio.get_running_loop()
        future: Future[T] = self._pool.submit(work, *args, **kwargs)
        future.add_done_callback(lambda _: _call(loop, self._give_back))
        waiting = asyncio.wrap_future(future)
        done, _ = await asyncio.wait({waiting}, timeout=self._wait)
        if not done and future.cancel():  # cancel() fails once a thread has begun
            raise HashingBusy
        return await waiting

    def _give_back(self) -> None:
        self._places += 1


def _call(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is waiting any more
        loop.call_soon_threadsafe(callback)


def _lower_priority() -> None:
    """Let requests go first. On Linux a niceness belongs to a thread; elsewhere leave it."""
    if hasattr(os, "setpriority") and os.uname().sysname == "Linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


@cache
def _common() -> frozenset[str]:
    return frozenset(FREQUENCY_LISTS["passwords"])


def is_common(password: str) -> bool:
    """Whether it is on zxcvbn's list of the 30,000 most used passwords, in whatever case."""
    return password.lower() in _common()
