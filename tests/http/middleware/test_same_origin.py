"""An `Origin` equal to the request's own scheme, host and port is the same origin (RFC 6454)."""

import pytest
from fastapi import FastAPI
from tests.support.browser import Browser

from wxc.core.config import Config

REFUSED = 403


async def status(app: FastAPI, host: str, origin: str, scheme: str = "http") -> int:
    async with Browser(app, f"{scheme}://api.test") as browser:
        answer = await browser.post("/logout", headers={"Host": host, "Origin": origin})
    return answer.status_code


@pytest.mark.parametrize(
    ("scheme", "host", "origin"),
    [
        ("http", "api.test", "http://api.test"),
        ("http", "api.test:80", "http://api.test"),
        ("http", "api.test", "http://api.test:80"),
        ("https", "api.test:443", "https://api.test"),
        ("https", "API.Test", "https://api.test"),
        ("http", "api.test:8000", "http://API.TEST:8000"),
        ("http", "[::1]:80", "http://[::1]"),
        ("http", "[FE80::A]:8000", "http://[fe80::a]:8000"),
        ("http", "api.test.", "http://api.test."),
        ("http", "api.test.:80", "http://api.test."),
    ],
)
async def test_own_origin_may_write(app: FastAPI, scheme: str, host: str, origin: str) -> None:
    assert await status(app, host, origin, scheme) == 204


@pytest.mark.parametrize(
    ("scheme", "host", "origin"),
    [
        ("http", "api.test", "https://api.test"),
        ("http", "api.test:443", "https://api.test"),
        ("https", "api.test:80", "https://api.test"),
        ("http", "api.test", "http://api.test:8000"),
        ("http", "api.test", "http://api.test."),
        ("http", "api.test", "http://evil.api.test"),
        ("http", "api.test", "http://api.test:80.evil.example"),
        ("http", "[::80]", "http://[:]"),
        ("http", "api.test", "null"),
        ("http", "", "http://"),
        ("http", "api.test", "http://api.test/"),
    ],
)
async def test_other_origins_may_not_write(
    app: FastAPI, scheme: str, host: str, origin: str
) -> None:
    assert await status(app, host, origin, scheme) == REFUSED


def test_listed_origins_are_compared_in_the_same_way(config: Config) -> None:
    origins = ("https://App.Example.com:443", "http://[::A]:80", "http://b.example:8000")
    listed = Config(**{**config.model_dump(), "cors_origins": origins}).cors_origins

    assert listed == ("https://app.example.com", "http://[::a]", "http://b.example:8000")


async def test_a_listed_origin_may_be_sent_with_its_default_port(app: FastAPI) -> None:
    origin = "https://APP.example.com:443"
    async with Browser(app) as browser:
        answer = await browser.post("/logout", headers={"Origin": origin})

    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == origin
