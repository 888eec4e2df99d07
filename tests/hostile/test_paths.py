"""Rows 1, 5 and 27: hostile values in every parameter of every path."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from tests.hostile.conftest import World
from tests.hostile.corpus import CANARY, WITH_PATH, Operation, Slot
from tests.hostile.refusals import assert_refused

from wxc.core.ids import new_id

_LONG = CANARY * 20
NO_UUIDS = (
    "1",
    "0",
    "-1",
    "null",
    CANARY,
    _LONG,
    "{$}",
    "%7B$%7D",
    "urn:uuid:$",
    "%20$",
    "$%20",
    "$%0A",
    "$%0D%0AX-Evil:%20" + CANARY,
    "$g",
    "$%ED%A0%80",
    "$%FF",
    "$;$",
    "$,$",
    "$.json",
    "' OR '1'='1",
)
NO_USERNAMES = (
    "ab",
    "a" * 31,
    _LONG,
    "grace.",
    "grace%0A",
    "grace%20",
    "%20grace",
    "@grace",
    "grace%E2%80%8B",
    "gr%D0%B0ce",
    "%EF%BD%87race",
    "gra%FFce",
    "gra%ED%A0%80ce",
    "%25",
    "gra%25",
    "gr*",
    "' OR '1'='1",
    "grace'--",
    "grace;" + CANARY,
    "grace%0D%0AX-Evil:%20" + CANARY,
    "{username}",
    "-",
    "null.",
)


def _is_uuid(slot: Slot) -> bool:
    return slot.string is not None and slot.string.get("format") == "uuid"


def _malformed(slot: Slot, right: UUID) -> Iterator[str]:
    if slot.is_token:
        yield from (*NO_UUIDS, *NO_USERNAMES, "a" * 42, "a" * 44, "a" * 42 + "%0A", "é" * 43)
        return
    if not _is_uuid(slot):
        yield from NO_USERNAMES
        return
    yield right.hex
    for pattern in NO_UUIDS:
        yield pattern.replace("$", str(right))


@pytest.mark.parametrize("operation", WITH_PATH, ids=str)
async def test_a_malformed_id_is_422_a_malformed_username_404_and_a_malformed_token_400(
    operation: Operation, world: World
) -> None:
    before = await world.state()

    for slot in operation.parameters("path"):
        name = str(slot.path[0])
        for value in _malformed(slot, new_id()):
            answer = await world.send(operation, path={name: value})

            if _is_uuid(slot):
                assert_refused(answer, "validation_failed")
                assert [part["pointer"] for part in answer.json()["errors"]] == [f"path.{name}"]
            elif slot.is_token:
                assert_refused(answer, "invalid_token")
            else:
                assert assert_refused(answer, *_not_found(operation)).endswith("not_found")
    assert await world.state() == before


@pytest.mark.parametrize("operation", WITH_PATH, ids=str)
async def test_an_unknown_id_or_username_is_404(operation: Operation, world: World) -> None:
    before = await world.state()
    ids = (new_id(), uuid4(), UUID(int=0), UUID(int=2**128 - 1))

    for slot in operation.parameters("path"):
        unknown = [str(id_) for id_ in ids] if _is_uuid(slot) else ["nobody_here", "a_b", "___"]
        for value in (*unknown, *(name.upper() for name in unknown)):
            answer = await world.send(operation, path={str(slot.path[0]): value})

            assert_refused(answer, *(["invalid_token"] if slot.is_token else _not_found(operation)))
    assert await world.state() == before


@pytest.mark.parametrize("operation", WITH_PATH, ids=str)
async def test_a_nul_in_the_path_is_refused(operation: Operation, world: World) -> None:
    for slot in operation.parameters("path"):
        for value in ("%00", f"{CANARY}%00", f"%00{CANARY}", f"{new_id()}%00", "grace%00"):
            answer = await world.send(operation, path={str(slot.path[0]): value})

            assert_refused(answer, "malformed_request")


@pytest.mark.parametrize("operation", WITH_PATH, ids=str)
async def test_an_encoded_slash_is_refused(operation: Operation, world: World) -> None:
    before = await world.state()

    for slot in operation.parameters("path"):
        for value in ("%2F", "grace%2Fposts", "grace%2ffollow", "..%2Ffeeds"):
            answer = await world.send(operation, path={str(slot.path[0]): value})

            assert_refused(answer, "malformed_request")
    assert await world.state() == before


@pytest.mark.parametrize("operation", WITH_PATH, ids=str)
async def test_a_path_over_the_limit_is_refused(operation: Operation, world: World) -> None:
    for slot in operation.parameters("path"):
        for value in (CANARY * 1000, "%41" * 3000, "é" * 2000):
            answer = await world.send(operation, path={str(slot.path[0]): value})

            assert_refused(answer, "uri_too_long")


@pytest.mark.parametrize("operation", WITH_PATH, ids=str)
async def test_an_extra_slash_is_404_and_never_a_redirect(
    operation: Operation, world: World
) -> None:
    address, _, query = world.address(operation).partition("?")

    for path in (f"{address}/", f"{address}//", f"/{address}", address.replace("/", "//")):
        answer = await world.ada.request(operation.method, f"http://api.test{path}?{query}")

        assert_refused(answer, "not_found")
        assert "location" not in answer.headers


def _not_found(operation: Operation) -> list[str]:
    """The refusals with status 404 that the operation documents."""
    examples = operation.declared["responses"]["404"]["content"]["application/problem+json"]
    return list(examples["examples"])
