"""Request ids, security headers and the access log."""

import logging

import pytest
from fastapi import FastAPI
from starlette.types import Message
from tests.conftest import Member
from tests.support.browser import Browser

from wxc.app import create_app
from wxc.core.config import Config


@pytest.mark.parametrize("path", ["/livez", "/nope", "/users/nobody_here", "/docs", "/posts/x"])
async def test_every_answer_carries_its_id_and_the_security_headers(
    stranger: Browser, path: str
) -> None:
    answer = await stranger.get(path, headers={"X-Request-ID": "front-end-0001"})

    assert answer.headers.get_list("x-request-id") == ["front-end-0001"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "server" not in answer.headers


@pytest.mark.parametrize("asked", ["short", "a" * 65, "with space", "ümläut-id", "a;b;c;d;e"])
async def test_an_id_of_another_form_is_replaced(stranger: Browser, asked: str) -> None:
    answer = await stranger.get("/livez", headers={"X-Request-ID": asked.encode()})

    assert len(answer.headers["x-request-id"]) == 32


async def test_head_is_get_without_a_body(member: Member) -> None:
    ada = await member("ada")

    for path in ("/livez", "/users/ada", "/feeds", "/docs", "/openapi.json"):
        got, head = await ada.get(path), await ada.request("HEAD", path)
        assert (head.status_code, head.content) == (got.status_code, b"")
        assert head.headers["content-type"] == got.headers["content-type"]


async def test_secure_sites_say_so(config: Config) -> None:
    app = create_app(config.model_copy(update={"cookie_secure": True}))

    async with Browser(app) as browser:
        answer = await browser.get("/livez")

    assert answer.headers["strict-transport-security"].startswith("max-age=63072000")


async def test_the_log_names_the_route_and_neither_path_nor_query(
    stranger: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "wxc.access"):
        await stranger.get("/users/canary_name?canary=1")

    (record,) = [one for one in caplog.records if one.name == "wxc.access"]
    assert record.getMessage().startswith("GET /users/{username} 422 in ")
    assert "canary" not in caplog.text


async def test_the_load_balancers_id_is_taken_where_the_client_sends_none(
    stranger: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    root = "1-67891233-abcdef012345678912345678"
    sent = {"X-Amzn-Trace-Id": f"Self=1-67891233-12456789abcdef012345678;Root={root}"}

    with caplog.at_level(logging.INFO, "wxc.access"):
        alone = await stranger.get("/livez", headers=sent)
        both = await stranger.get("/livez", headers=sent | {"X-Request-ID": "front-end-0001"})
        odd = await stranger.get("/livez", headers={"X-Amzn-Trace-Id": "Root=1-a\tb"})

    assert alone.headers["x-request-id"] == root
    assert both.headers["x-request-id"] == "front-end-0001"
    assert len(odd.headers["x-request-id"]) == 32
    records = [vars(one) for one in caplog.records if one.name == "wxc.access"]
    assert [one.get("balancer_trace") for one in records] == [root, root, None]


async def test_the_log_names_the_member(member: Member, caplog: pytest.LogCaptureFixture) -> None:
    ada = await member("ada")
    with caplog.at_level(logging.INFO, "wxc.access"):
        await ada.get("/feeds")
        await ada.log_in("ada")

    records = [vars(one) for one in caplog.records if one.name == "wxc.access"]
    assert [one["user_id"] for one in records] == [str(ada.id)] * 3  # both log-ins too


async def test_the_lifespan_passes_through(app: FastAPI, config: Config) -> None:
    """The middlewares are for requests; the rest goes by."""
    fresh = create_app(config)
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[str] = []

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message["type"])

    await fresh({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)

    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
