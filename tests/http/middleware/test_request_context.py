import logging

import pytest
from fastapi import FastAPI
from starlette.types import Message
from tests.conftest import Member
from tests.support.browser import Browser

from wxc.app import create_app
from wxc.core.config import Config


@pytest.mark.parametrize("path", ["/livez", "/nope", "/users/nobody_here", "/docs", "/posts/x"])
async def test_every_response_has_its_request_id_and_security_headers(
    stranger: Browser, path: str
) -> None:
    answer = await stranger.get(path, headers={"X-Request-ID": "front-end-0001"})

    assert answer.headers.get_list("x-request-id") == ["front-end-0001"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    policy = answer.headers["content-security-policy"].split("; ")
    assert {"default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"} <= set(policy)
    assert "server" not in answer.headers


@pytest.mark.parametrize("sent_id", ["short", "a" * 65, "with space", "ümläut-id", "a;b;c;d;e"])
async def test_invalid_request_id_is_replaced(stranger: Browser, sent_id: str) -> None:
    answer = await stranger.get("/livez", headers={"X-Request-ID": sent_id.encode()})

    assert len(answer.headers["x-request-id"]) == 32


async def test_head_responds_like_get_without_a_body(member: Member) -> None:
    ada = await member("ada")

    for path in ("/livez", "/users/ada", "/feeds", "/docs", "/openapi.json"):
        got, head = await ada.get(path), await ada.request("HEAD", path)
        assert (head.status_code, head.content) == (got.status_code, b"")
        assert head.headers["content-type"] == got.headers["content-type"]


async def test_secure_sites_send_hsts(config: Config) -> None:
    app = create_app(config.model_copy(update={"cookie_secure": True}))

    async with Browser(app) as browser:
        answer = await browser.get("/livez")

    assert answer.headers["strict-transport-security"].startswith("max-age=63072000")


async def test_access_log_has_the_route_template_but_no_path_or_query(
    stranger: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "wxc.access"):
        await stranger.get("/users/canary_name?canary=1")

    (record,) = [one for one in caplog.records if one.name == "wxc.access"]
    assert record.getMessage().startswith("GET /users/{username} 422 in ")
    assert "canary" not in caplog.text


async def test_load_balancers_id_is_used_if_the_client_sends_none(
    stranger: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    root = "1-67891233-abcdef012345678912345678"
    sent = {"X-Amzn-Trace-Id": f"Self=1-67891233-12456789abcdef012345678;Root={root}"}

    with caplog.at_level(logging.INFO, "wxc.access"):
        balancer_only = await stranger.get("/livez", headers=sent)
        both = await stranger.get("/livez", headers=sent | {"X-Request-ID": "front-end-0001"})
        malformed = await stranger.get("/livez", headers={"X-Amzn-Trace-Id": "Root=1-a\tb"})

    assert balancer_only.headers["x-request-id"] == root
    assert both.headers["x-request-id"] == "front-end-0001"
    assert len(malformed.headers["x-request-id"]) == 32
    records = [vars(one) for one in caplog.records if one.name == "wxc.access"]
    assert [one.get("balancer_trace") for one in records] == [root, root, None]


async def test_access_log_has_the_user_id(member: Member, caplog: pytest.LogCaptureFixture) -> None:
    ada = await member("ada")
    with caplog.at_level(logging.INFO, "wxc.access"):
        await ada.get("/feeds")
        await ada.log_in("ada")

    records = [vars(one) for one in caplog.records if one.name == "wxc.access"]
    assert [one["user_id"] for one in records] == [str(ada.id)] * 3  # the log-in of the fixture too


async def test_lifespan_messages_pass_through_all_middleware(app: FastAPI, config: Config) -> None:
    fresh = create_app(config)
    messages = iter([{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}])
    sent: list[str] = []

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        sent.append(message["type"])

    await fresh({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, receive, send)

    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
