import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from wxc.accounts.auth.errors import HashingBusy
from wxc.accounts.auth.password_strength import is_common_password
from wxc.accounts.auth.passwords import Passwords
from wxc.core.config import Config


@pytest.fixture
def passwords(config: Config) -> Iterator[Passwords]:
    passwords = Passwords(
        config.model_copy(update={"password_hash_queue": 3, "password_hash_wait": 0.1})
    )
    yield passwords
    passwords.close()


async def test_hash_matches_only_its_password(passwords: Passwords) -> None:
    encoded = await passwords.hash("a walk in the rain")

    assert encoded.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert await passwords.verify("a walk in the rain", encoded)
    assert not await passwords.verify("a walk in the sun", encoded)


async def test_unknown_account_is_verified_with_a_hash_of_the_same_parameters(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []

    def record_hash(password: str, encoded: Any) -> bool:
        verified.append(encoded)
        return True

    monkeypatch.setattr(passwords._hasher, "verify", record_hash)

    assert not await passwords.verify("anything", None)
    assert not passwords.needs_rehash(verified[0])


def occupy(passwords: Passwords) -> threading.Event:
    """Keep the only thread busy until the event is set."""
    release = threading.Event()
    passwords._pool.submit(release.wait)
    return release


async def test_wait_beyond_the_timeout_is_refused_without_hashing(passwords: Passwords) -> None:
    release = occupy(passwords)

    started = time.monotonic()
    with pytest.raises(HashingBusy):
        await passwords.hash("a walk in the rain")

    assert time.monotonic() - started < 1
    release.set()
    assert await passwords.hash("a walk in the rain")  # the slot is free again


async def test_full_queue_refuses_immediately(passwords: Passwords) -> None:
    release = occupy(passwords)
    waiting = [asyncio.create_task(passwords.hash("a walk in the rain")) for _ in range(3)]
    await asyncio.sleep(0)

    with pytest.raises(HashingBusy):
        await passwords.hash("a walk in the rain")

    release.set()
    assert len(await asyncio.gather(*waiting)) == 3


async def test_cancelled_caller_frees_its_slot_only_when_the_thread_is_done(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, release = threading.Event(), threading.Event()

    def slow(_password: str) -> str:
        begun.set()
        release.wait()
        return "hash"

    monkeypatch.setattr(passwords._hasher, "hash", slow)
    task = asyncio.create_task(passwords.hash("a walk in the rain"))
    await asyncio.to_thread(begun.wait)

    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    assert passwords._free_slots == 2
    release.set()
    await passwords.verify("anything", None)  # runs in the same thread, so after the hash
    assert passwords._free_slots == 3


async def test_hashing_does_not_block_the_event_loop(config: Config) -> None:
    costly = Passwords(config.model_copy(update={"password_hash_memory": 65_536}))
    iterations = 0
    hashing = asyncio.create_task(costly.hash("a walk in the rain"))

    while not hashing.done():
        await asyncio.sleep(0)
        iterations += 1

    assert iterations > 10
    costly.close()


@pytest.mark.parametrize("password", ["password1", "Password1", "QWERTYUIOP", "1q2w3e4r"])
def test_frequent_password_is_common(password: str) -> None:
    assert is_common_password(password)


def test_sentence_is_not_a_common_password() -> None:
    assert not is_common_password("a walk in the rain")
