"""Real responses match the OpenAPI document in sessions and headers."""

from collections.abc import Set

import httpx
import pytest
from tests.hostile.conftest import World
from tests.hostile.corpus import Operation, operations, operations_where

from wxc.http.openapi.declarations import HEADERS

NOT_SIGNED_IN = {"not_authenticated", "session_expired"}
# `no-store` is sent everywhere else, and CORS adds Origin to every answer.
SENT_ELSEWHERE_TOO = {"Cache-Control", "Vary"}


def _schemes(operation: Operation) -> Set[str]:
    return {name for alternative in operation.declared["security"] for name in alternative}


def _is_refused(answer: httpx.Response, codes: Set[str]) -> bool:
    return answer.status_code >= 400 and answer.json()["code"] in codes


WRITING = operations_where(lambda one: one.method != "GET")
# Log-out and address verification accept requests with invalid cookies.
TOLERANT = operations_where(
    lambda one: {} in one.declared["security"] and "refreshToken" in _schemes(one)
)


@pytest.mark.parametrize("operation", operations(), ids=str)
async def test_a_session_is_required_and_verified_as_documented(
    world: World, operation: Operation
) -> None:
    is_needed = bool(_schemes(operation)) and {} not in operation.declared["security"]
    is_read = bool(_schemes(operation)) and operation not in TOLERANT

    anonymous = await world.send(operation, browser=world.stranger)
    world.stranger.http.cookies.set("wxc_access", "garbage")
    garbled = await world.send(operation, browser=world.stranger)

    assert _is_refused(anonymous, NOT_SIGNED_IN) is is_needed
    assert _is_refused(garbled, NOT_SIGNED_IN) is is_read


@pytest.mark.parametrize("operation", WRITING, ids=str)
async def test_the_csrf_token_is_required_as_documented(world: World, operation: Operation) -> None:
    world.ada.csrf_token = None

    answer = await world.send(operation)

    assert _is_refused(answer, {"csrf_failed"}) is ("csrfToken" in _schemes(operation))


@pytest.mark.parametrize("operation", operations(), ids=str)
async def test_responses_have_the_documented_headers(world: World, operation: Operation) -> None:
    answer = await world.send(operation)

    documented = operation.declared["responses"][str(answer.status_code)]["headers"].keys()
    sent = {name for name in HEADERS if name in answer.headers}
    always = {name for name in documented if HEADERS[name].get("required")}
    if answer.is_success:  # RateLimit headers are optional in refusals only
        always |= {name for name in documented if name.startswith("RateLimit")}
    assert always <= sent
    assert sent - SENT_ELSEWHERE_TOO <= documented


async def test_idempotent_replays_and_304_responses_have_the_documented_headers(
    world: World,
) -> None:
    (write,) = operations_where(lambda one: (one.method, one.path) == ("POST", "/posts"))
    (read,) = operations_where(lambda one: (one.method, one.path) == ("GET", "/posts/{post_id}"))
    key = {"Content-Type": "application/json", "Idempotency-Key": "once"}

    _, again = [await world.send(write, headers=key) for _ in range(2)]
    first = await world.send(read)
    known = await world.send(read, headers={"If-None-Match": first.headers["ETag"]})

    assert again.headers["Idempotency-Replayed"] == HEADERS["Idempotency-Replayed"]["example"]
    assert known.status_code == 304
    assert known.headers.keys() >= {
        name.lower() for name in read.declared["responses"]["304"]["headers"]
    }
