"""What holds for every request and every answer."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from starlette.responses import StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from tests.conftest import Member
from tests.support.browser import Browser

from wxc.app import create_app
from wxc.core import logging as logs
from wxc.core.config import Config
from wxc.http.bodies import BodyGate, ClientGone
from wxc.http.middleware import Faults, StreamGate
from wxc.http.refusals import Overloaded
from wxc.http.traffic import Traffic

APP = "https://app.example.com"


class TestEnvelope:
    @pytest.mark.parametrize("path", ["/livez", "/nope", "/users/nobody_here", "/docs", "/posts/x"])
    async def test_every_answer_carries_its_id_and_the_security_headers(
        self, stranger: Browser, path: str
    ) -> None:
        answer = await stranger.get(path, headers={"X-Request-ID": "front-end-0001"})

        assert answer.headers.get_list("x-request-id") == ["front-end-0001"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "server" not in answer.headers

    @pytest.mark.parametrize("asked", ["short", "a" * 65, "with space", "ümläut-id", "a;b;c;d;e"])
    async def test_an_id_of_another_form_is_replaced(self, stranger: Browser, asked: str) -> None:
        answer = await stranger.get("/livez", headers={"X-Request-ID": asked.encode()})

        assert len(answer.headers["x-request-id"]) == 32

    async def test_head_is_get_without_a_body(self, member: Member) -> None:
        ada = await member("ada")

        for path in ("/livez", "/users/ada", "/feeds", "/docs", "/openapi.json"):
            got, head = await ada.get(path), await ada.request("HEAD", path)
            assert (head.status_code, head.content) == (got.status_code, b"")
            assert head.headers["content-type"] == got.headers["content-type"]

    async def test_secure_sites_say_so(self, config: Config) -> None:
        app = create_app(config.model_copy(update={"cookie_secure": True}))

        async with Browser(app) as browser:
            answer = await browser.get("/livez")

        assert answer.headers["strict-transport-security"].startswith("max-age=63072000")

    async def test_the_log_names_the_route_and_neither_path_nor_query(
        self, stranger: Browser, caplog: pytest.LogCaptureFixture
    ) -> None:
        with caplog.at_level(logging.INFO, "wxc.access"):
            await stranger.get("/users/canary_name?canary=1")

        (record,) = [one for one in caplog.records if one.name == "wxc.access"]
        assert record.getMessage().startswith("GET /users/{username} 422 in ")
        assert "canary" not in caplog.text

    async def test_the_load_balancers_id_is_taken_where_the_client_sends_none(
        self, stranger: Browser, caplog: pytest.LogCaptureFixture
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

    async def test_the_log_names_the_member(
        self, member: Member, caplog: pytest.LogCaptureFixture
    ) -> None:
        ada = await member("ada")
        with caplog.at_level(logging.INFO, "wxc.access"):
            await ada.get("/feeds")
            await ada.log_in("ada")

        records = [vars(one) for one in caplog.records if one.name == "wxc.access"]
        assert [one["user_id"] for one in records] == [str(ada.id)] * 3  # both log-ins too


class TestLogs:
    @pytest.fixture(autouse=True)
    def _restored(self) -> Iterator[None]:
        root = logging.getLogger()
        handlers, level = root.handlers[:], root.level
        yield
        root.handlers[:], root.level = handlers, level

    @pytest.mark.parametrize("log_format", ["json", "text"])
    def test_one_event_is_one_line_with_its_request_id(
        self, config: Config, capsys: pytest.CaptureFixture[str], log_format: str
    ) -> None:
        logs.configure_logging(config.model_copy(update={"log_format": log_format}))
        token = logs.request_id.set("front-end-0001")

        logging.getLogger("wxc.test").warning("first\r\nsecond")
        logs.request_id.reset(token)

        (line,) = capsys.readouterr().err.splitlines()
        assert "front-end-0001" in line
        if log_format == "json":
            entry = json.loads(line)
            assert (entry["level"], entry["logger"]) == ("WARNING", "wxc.test")
            assert entry["time"].endswith("+00:00")


class TestCors:
    async def test_listed_origins_may_read_answers_and_errors(self, stranger: Browser) -> None:
        for path in ("/livez", "/auth-check", "/nope", "/feeds?limit=0"):
            answer = await stranger.get(path, headers={"Origin": APP})
            assert answer.headers["access-control-allow-origin"] == APP
            assert answer.headers["access-control-allow-credentials"] == "true"
            assert "X-Request-ID" in answer.headers["access-control-expose-headers"]
            assert answer.headers["vary"] == "Origin"

    @pytest.mark.parametrize(
        "origin",
        ["https://evil.example", "null", f"{APP}.evil.example", "http://app.example.com", "*"],
    )
    async def test_other_origins_get_no_permission(self, stranger: Browser, origin: str) -> None:
        preflight = {"Origin": origin, "Access-Control-Request-Method": "POST"}

        for answer in (
            await stranger.get("/livez", headers={"Origin": origin}),
            await stranger.request("OPTIONS", "/posts", headers=preflight),
        ):
            assert not [name for name in answer.headers if name.startswith("access-control-")]
            assert answer.headers["vary"] == "Origin"

    async def test_a_preflight_of_a_listed_origin_is_granted(self, stranger: Browser) -> None:
        headers = {
            "Origin": APP,
            "Access-Control-Request-Method": "PUT",
            "Access-Control-Request-Headers": "content-type, x-csrf-token, if-match",
        }

        answer = await stranger.request("OPTIONS", "/posts", headers=headers)

        assert (answer.status_code, answer.content) == (204, b"")
        assert answer.headers["access-control-allow-origin"] == APP

    async def test_a_preflight_with_odd_headers_is_refused_as_a_problem(
        self, stranger: Browser
    ) -> None:
        headers = {
            "Origin": APP,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "x-odd",
        }

        answer = await stranger.request("OPTIONS", "/posts", headers=headers)

        assert (answer.status_code, answer.json()["code"]) == (403, "csrf_failed")


trouble = APIRouter(tags=["trouble"])
hanging = asyncio.Semaphore(0)


@trouble.get("/fail")
async def fail() -> None:
    raise RuntimeError("canary")


@trouble.get("/hang")
async def hang() -> None:
    hanging.release()
    await asyncio.sleep(60)


@trouble.get("/time-out")
async def time_out() -> None:
    raise TimeoutError("canary")


class TestTrouble:
    @pytest.fixture
    async def app(self, config: Config) -> FastAPI:
        app = create_app(
            config.model_copy(
                update={"request_deadline": 0.1, "requests_in_flight": 2, "body_deadline": 0.1}
            )
        )
        app.include_router(trouble)
        return app

    @pytest.mark.parametrize(
        ("path", "status", "code"),
        [
            ("/fail", 500, "internal_error"),
            ("/hang", 503, "deadline_exceeded"),
            ("/time-out", 503, "unavailable"),
        ],
    )
    async def test_whatever_happens_is_a_problem_that_tells_nothing(
        self, stranger: Browser, path: str, status: int, code: str
    ) -> None:
        answer = await stranger.get(path, headers={"Origin": APP})

        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["access-control-allow-origin"] == APP
        assert "canary" not in answer.text

    async def test_more_requests_than_we_can_serve_are_turned_away_and_probes_are_not(
        self, stranger: Browser
    ) -> None:
        while not hanging.locked():  # those of other tests
            await hanging.acquire()
        tasks = [asyncio.create_task(stranger.get("/hang")) for _ in range(2)]
        for _ in tasks:
            await hanging.acquire()

        answer = await stranger.get("/docs/errors")

        assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
        assert answer.headers["retry-after"] == "1"
        assert (await stranger.get("/livez")).status_code == 200
        await asyncio.gather(*tasks)
        assert (await stranger.get("/docs/errors")).status_code == 200

    async def test_a_body_that_never_ends_is_not_waited_for(self, stranger: Browser) -> None:
        async def dribble() -> AsyncIterator[bytes]:
            yield b"{"
            await asyncio.sleep(1)
            yield b"}"

        answer = await stranger.post("/login", content=dribble())

        assert (answer.status_code, answer.json()["code"]) == (408, "request_timeout")
        assert answer.headers["connection"] == "close"


class TestStreams:
    @staticmethod
    def gate(app: ASGIApp, most: int = 1) -> StreamGate:
        return StreamGate(
            app,
            streams=re.compile("/stream"),
            patience=0.05,
            most=most,
            traffic=Traffic(),
        )

    async def test_one_may_last_longer_than_the_patience_with_its_reader(self) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            for number in range(3):
                await asyncio.sleep(0.04)
                await send({"type": "http.response.body", "body": b"%d" % number})

        sent: list[Message] = []
        await self.gate(app)(_asked("/stream"), _nothing, _into(sent))

        assert [message["body"] for message in sent] == [b"0", b"1", b"2"]

    async def test_a_reader_who_takes_nothing_any_more_is_left(self) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.body", "body": b""})

        async def stuck(message: Message) -> None:
            await asyncio.sleep(60)

        gate = self.gate(app)
        for _ in range(2):  # its place is free again
            with pytest.raises(ClientGone):
                await asyncio.wait_for(gate(_asked("/stream"), _nothing, stuck), 5)

    async def test_the_end_of_such_a_reader_is_no_error(self) -> None:
        async def pieces() -> AsyncIterator[bytes]:
            while True:
                yield b"piece"

        async def connected() -> Message:
            await asyncio.sleep(60)
            raise AssertionError("not reached")

        async def stuck(message: Message) -> None:
            await asyncio.sleep(60 if message["type"] == "http.response.body" else 0)

        app = Faults(self.gate(StreamingResponse(pieces())))

        await asyncio.wait_for(app(_asked("/stream"), connected, stuck), 5)

    async def test_a_reader_who_leaves_a_task_group_is_no_error_and_other_errors_are(
        self,
    ) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            raise ExceptionGroup("of a task group", errors)

        errors: list[Exception] = [ClientGone()]
        with pytest.raises(ClientGone):
            await self.gate(app)(_asked("/stream"), _nothing, _into([]))
        errors.append(ZeroDivisionError())
        with pytest.raises(ExceptionGroup):
            await self.gate(app)(_asked("/stream"), _nothing, _into([]))

    async def test_an_answer_that_has_begun_is_not_being_opened(self) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            await send({"type": "http.response.body", "body": b"outer"})
            if scope["path"] == "/stream" and len(sent) < 3:
                await gate(scope, receive, send)

        gate, sent = self.gate(app), list[Message]()
        await gate(_asked("/stream"), _nothing, _into(sent))

        assert len(sent) == 3

    async def test_more_than_so_many_are_turned_away_and_others_are_not(self) -> None:
        served = []

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            served.append(scope["path"])
            if scope["path"] == "/stream":
                with pytest.raises(Overloaded):
                    await gate(scope, receive, send)
                await gate(_asked("/other"), receive, send)

        gate = self.gate(app)
        for _ in range(2):
            await gate(_asked("/stream"), _nothing, _into([]))

        assert served == ["/stream", "/other"] * 2


def _asked(path: str) -> Scope:
    return {"type": "http", "path": path}


async def _nothing() -> Message:
    raise AssertionError("nobody reads")


def _into(sent: list[Message]) -> Send:
    async def send(message: Message) -> None:
        sent.append(message)

    return send


async def test_a_client_that_hangs_up_with_its_body_is_left_alone() -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise AssertionError("not reached")

    scope: dict[str, Any] = {
        "type": "http",
        "path": "/",
        "query_string": b"",
        "headers": [(b"content-length", b"5")],
    }
    gate = BodyGate(app, limit_for=lambda _: 10, deadline=1)
    with pytest.raises(ClientGone):
        await gate(scope, receive, send)

    await Faults(gate)(scope, receive, send)
    assert sent == []


async def test_a_fault_after_the_answer_has_begun_is_not_answered_twice() -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("late")

    with pytest.raises(RuntimeError, match="late"):
        await Faults(app)({"type": "http", "path": "/"}, receive, send)

    assert len(sent) == 1


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
