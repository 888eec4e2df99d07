"""Password hashing: Argon2id in a bounded pool of low-priority threads.

Parameters are OWASP's (Password Storage Cheat Sheet: m=19 MiB, t=2, p=1) unless configured.
"""

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from pwdlib.hashers.argon2 import Argon2Hasher

from wxc.accounts.auth.errors import HashingBusy, PasswordTooCommon
from wxc.accounts.auth.password_strength import is_guessable
from wxc.core.config import Config

P = ParamSpec("P")
T = TypeVar("T")
_NICENESS = 10


class Passwords:
    """Hashes and verifies in a few low-priority threads; argon2 releases the GIL.

    Raises `HashingBusy` if the queue is full or the wait times out. The slot of a cancelled
    caller stays occupied until its thread is done.

    A quarter of the queue is reserved for trusted callers: those with a session, a known device
    or a mailed link. Otherwise a flood of anonymous logins from many addresses would prevent
    members from changing their passwords.
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
        self._queue_size = self._free_slots = config.password_hash_queue
        self._reserved_slots = config.password_hash_queue // 4
        self._timeout = config.password_hash_wait
        # Verified for unknown accounts: the response time must not reveal which accounts exist.
        self._dummy_hash = self._hasher.hash("dummy password")

    async def hash_new(
        self, password: str, facts: Iterable[str | None], *, is_trusted: bool = False
    ) -> str:
        """The hash of a password that a user has chosen; `facts` are what others know of the user.

        Raises `PasswordTooCommon` for a password that is easy to guess.
        """
        self.require_capacity(is_trusted=is_trusted)
        if await self._run(is_guessable, password, facts):
            raise PasswordTooCommon
        return await self.hash(password, is_trusted=is_trusted)

    async def hash(self, password: str, *, is_trusted: bool = False) -> str:
        """The hash with its parameters and a new salt, in PHC string format."""
        self.require_capacity(is_trusted=is_trusted)
        return await self._run(self._hasher.hash, password)

    async def verify(
        self, password: str, password_hash: str | None, *, is_trusted: bool = False
    ) -> bool:
        """A `password_hash` of None never matches, and takes the same time as a hash."""
        self.require_capacity(is_trusted=is_trusted)
        is_match = await self._run(self._hasher.verify, password, password_hash or self._dummy_hash)
        return is_match and password_hash is not None

    @property
    def queue_length(self) -> int:
        """The number of passwords waiting or being hashed."""
        return self._queue_size - self._free_slots

    def require_capacity(self, *, is_trusted: bool = False) -> None:
        """Raise `HashingBusy` if the queue is full; call it before any query."""
        if self._free_slots <= (0 if is_trusted else self._reserved_slots):
            raise HashingBusy

    def needs_rehash(self, password_hash: str) -> bool:
        return self._hasher.check_needs_rehash(password_hash)

    def close(self) -> None:
        """Cancel the queue; each thread stops after its current hash."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        self._free_slots -= 1
        loop = asyncio.get_running_loop()
        future: Future[T] = self._pool.submit(work, *args, **kwargs)
        future.add_done_callback(lambda _: _call_threadsafe(loop, self._release_slot))
        waiting = asyncio.wrap_future(future)
        done, _ = await asyncio.wait({waiting}, timeout=self._timeout)
        if not done and future.cancel():  # cancel() fails once a thread has started
            raise HashingBusy
        return await waiting

    def _release_slot(self) -> None:
        self._free_slots += 1


def _call_threadsafe(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # the loop is closed, so no caller waits
        loop.call_soon_threadsafe(callback)


def _lower_priority() -> None:
    """Yield the CPU to requests. Only on Linux does niceness apply to a single thread."""
    if hasattr(os, "setpriority") and os.uname().sysname == "Linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
