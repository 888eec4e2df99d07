"""Row 25: unsupported methods, and attempts to override the method."""

from collections.abc import Iterator

import httpx
import pytest
from tests.hostile.conftest import World
from tests.hostile.corpus import CANARY, Operation, document, operations, operations_where
from tests.hostile.refusals import assert_refused
from tests.support.browser import Browser

METHODS = (
    *("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"),
    *("PROPFIND", "QUERY", "X", CANARY.upper()),
)
PAGES = ("/", "/docs", "/docs/errors", "/docs/errors/not_found", "/docs/assets/docs.css")
READING = operations_where(lambda operation: operation.method == "GET")
OVERRIDES = ("X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method")


def _allowed(path: str) -> set[str]:
    methods = {method.upper() for method in document()["paths"].get(path, ("get",))}
    return methods | {"HEAD"} if "GET" in methods else methods


def _first(path: str) -> Operation:
    return next(operation for operation in operations() if operation.path == path)


def _assert_not_allowed(method: str, answer: httpx.Response) -> None:
    if method == "HEAD":
        assert (answer.status_code, answer.content) == (405, b"")
    else:
        assert_refused(answer, "method_not_allowed")


def _refused(path: str) -> Iterator[str]:
    yield from (method for method in METHODS if method not in _allowed(path))


@pytest.mark.parametrize("path", document()["paths"])
async def test_an_unsupported_method_is_405_with_the_allowed_ones(path: str, world: World) -> None:
    before = await world.state()

    for method in _refused(path):
        answer = await world.ada.request(method, world.address(_first(path)))

        _assert_not_allowed(method, answer)
        assert answer.headers["allow"] == ", ".join(sorted(_allowed(path))), method
    assert await world.state() == before


@pytest.mark.parametrize("path", PAGES)
async def test_pages_allow_only_get_and_head(path: str, stranger: Browser) -> None:
    for method in _refused(path):
        answer = await stranger.request(method, path)

        _assert_not_allowed(method, answer)
        assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", ["/nowhere", "/posts/1/2/3", "/Livez", "/docs/assets/no.js"])
async def test_an_unknown_path_is_404_for_every_method(path: str, stranger: Browser) -> None:
    assert_refused(await stranger.get(path), "not_found")
    head = await stranger.request("HEAD", path)
    assert (head.status_code, head.content) == (404, b"")
    for method in {*METHODS} - {"GET", "HEAD"}:
        answer = await stranger.request(method, path)
        assert_refused(answer, "method_not_allowed" if "assets" in path else "not_found")


@pytest.mark.parametrize("operation", READING, ids=str)
async def test_head_is_get_without_a_body(operation: Operation, world: World) -> None:
    get = await world.send(operation)
    head = await world.ada.request("HEAD", world.address(operation))

    own = {"x-request-id", "date"}
    assert head.status_code == get.status_code == 200
    assert head.content == b""
    assert {name for name in head.headers if name not in own} == {
        name for name in get.headers if name not in own
    }
    # A streamed response has no length.
    assert head.headers.get("content-length") == get.headers.get("content-length")


@pytest.mark.parametrize("operation", READING, ids=str)
async def test_a_get_with_a_method_override_is_served_as_get(
    operation: Operation, world: World
) -> None:
    before = await world.state()

    for header in OVERRIDES:
        for method in ("DELETE", "PUT", "POST", CANARY):
            answer = await world.ada.get(world.address(operation), headers={header: method})

            assert answer.status_code == 200, answer.text
    assert_refused(await world.send(operation, query="?_method=DELETE"), "unknown_parameter")
    assert await world.state() == before


async def test_a_post_with_a_method_override_is_served_as_post(world: World) -> None:
    posts = await world.ada.get("/users/ada/posts")
    post_id = posts.json()["items"][0]["id"]

    for header in OVERRIDES:
        answer = await world.ada.post(f"/posts/{post_id}", headers={header: "DELETE"})

        assert_refused(answer, "method_not_allowed")
    assert (await world.ada.get(f"/posts/{post_id}")).status_code == 200
