"""Hashing is bounded, stays off the event loop, and costs the same for nobody as for somebody."""

import asyncio
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from wxc.accounts.auth.errors import HashingBusy
from wxc.accounts.auth.passwords import Passwords, is_common
from wxc.core.config import Config


@pytest.fixture
def passwords(config: Config) -> Iterator[Passwords]:
    passwords = Passwords(
        config.model_copy(update={"password_hash_queue": 3, "password_hash_wait": 0.1})
    )
    yield passwords
    passwords.close()


async def test_a_hash_is_verified_by_its_password_only(passwords: Passwords) -> None:
    encoded = await passwords.hash("a walk in the rain")

    assert encoded.startswith("$argon2id$v=19$m=8,t=1,p=1$")
    assert await passwords.verify("a walk in the rain", encoded)
    assert not await passwords.verify("a walk in the sun", encoded)


async def test_nobody_is_verified_by_a_hash_of_the_same_parameters(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified: list[str] = []

    def note(password: str, encoded: Any) -> bool:
        verified.append(encoded)
        return True

    monkeypatch.setattr(passwords._hasher, "verify", note)

    assert not await passwords.verify("anything", None)
    assert not passwords.needs_rehash(verified[0])


def occupy(passwords: Passwords) -> threading.Event:
    """Keep the one thread busy until the event is set."""
    release = threading.Event()
    passwords._pool.submit(release.wait)
    return release


async def test_who_waits_too_long_is_refused_and_not_hashed(passwords: Passwords) -> None:
    release = occupy(passwords)

    started = time.monotonic()
    with pytest.raises(HashingBusy):
        await passwords.hash("a walk in the rain")

    assert time.monotonic() - started < 1
    release.set()
    assert await passwords.hash("a walk in the rain")  # its place was given back


async def test_more_than_the_queue_holds_are_refused_at_once(passwords: Passwords) -> None:
    release = occupy(passwords)
    waiting = [asyncio.create_task(passwords.hash("a walk in the rain")) for _ in range(3)]
    await asyncio.sleep(0)

    with pytest.raises(HashingBusy):
        await passwords.hash("a walk in the rain")

    release.set()
    assert len(await asyncio.gather(*waiting)) == 3


async def test_who_goes_away_does_not_free_a_place_while_the_work_goes_on(
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

    assert passwords._places == 2
    release.set()
    await passwords.verify("anything", None)  # by the same thread, so after it
    assert passwords._places == 3


async def test_the_event_loop_goes_on_while_a_password_is_hashed(config: Config) -> None:
    costly = Passwords(config.model_copy(update={"password_hash_memory": 65_536}))
    turns = 0
    hashing = asyncio.create_task(costly.hash("a walk in the rain"))

    while not hashing.done():
        await asyncio.sleep(0)
        turns += 1

    assert turns > 10
    costly.close()


@pytest.mark.parametrize("password", ["password1", "Password1", "QWERTYUIOP", "1q2w3e4r"])
def test_what_everyone_uses_is_common(password: str) -> None:
    assert is_common(password)


def test_a_sentence_is_not_common() -> None:
    assert not is_common("a walk in the rain")
