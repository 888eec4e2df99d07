"""The OpenAPI document and the text assets are compressed; API responses are not."""

import json

import pytest
from fastapi import FastAPI
from starlette.datastructures import Headers
from tests.support.browser import Browser

from wxc.docs_pages.compression import accepts_gzip

TEXTS = ["/openapi.json", "/docs/assets/swagger-ui-bundle.js", "/docs/assets/swagger-ui.css"]
IDENTITY = {"Accept-Encoding": "identity"}
GZIP = {"Accept-Encoding": "gzip, deflate, br"}


@pytest.mark.parametrize("path", TEXTS)
async def test_text_is_compressed_for_clients_that_accept_gzip(
    stranger: Browser, path: str
) -> None:
    plain = await stranger.get(path, headers=IDENTITY)
    gzipped = await stranger.get(path, headers=GZIP)

    assert "content-encoding" not in plain.headers
    assert gzipped.headers["content-encoding"] == "gzip"
    assert gzipped.content == plain.content
    assert int(gzipped.headers["content-length"]) < int(plain.headers["content-length"]) / 3
    assert plain.headers["content-type"] == gzipped.headers["content-type"]
    for answer in (plain, gzipped):
        assert "Accept-Encoding" in answer.headers["vary"]


@pytest.mark.parametrize("path", TEXTS)
async def test_each_encoding_has_an_etag_and_returns_304(stranger: Browser, path: str) -> None:
    plain = await stranger.get(path, headers=IDENTITY)
    gzipped = await stranger.get(path, headers=GZIP)
    tags = {plain.headers["etag"], gzipped.headers["etag"]}

    known = await stranger.get(path, headers=GZIP | {"If-None-Match": gzipped.headers["etag"]})
    weak = await stranger.get(path, headers=IDENTITY | {"If-None-Match": f'W/{min(tags)}, "x"'})
    other = await stranger.get(path, headers=GZIP | {"If-None-Match": plain.headers["etag"]})

    assert len(tags) == 2
    assert (known.status_code, known.content) == (304, b"")
    assert known.headers["etag"] == gzipped.headers["etag"]
    assert "Accept-Encoding" in known.headers["vary"]
    assert "content-encoding" not in known.headers
    assert weak.status_code == (304 if min(tags) == plain.headers["etag"] else 200)
    assert other.status_code == 200


async def test_openapi_document_must_be_revalidated(app: FastAPI, stranger: Browser) -> None:
    answer = await stranger.get("/openapi.json")

    assert answer.json() == json.loads(json.dumps(app.openapi()))
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-cache"
    assert len(answer.content) < 320_000
    assert int(answer.headers["content-length"]) < 60_000


async def test_images_are_not_compressed(stranger: Browser) -> None:
    answer = await stranger.get("/docs/assets/favicon-32x32.png", headers=GZIP)

    assert answer.status_code == 200
    assert "content-encoding" not in answer.headers
    assert answer.headers["cache-control"] == "public, max-age=3600"


async def test_openapi_document_is_read_only_and_ignores_unknown_parameters(
    stranger: Browser,
) -> None:
    head = await stranger.request("HEAD", "/openapi.json", headers=GZIP)
    posted = await stranger.request("POST", "/openapi.json")
    with_parameter = await stranger.get("/openapi.json?v=1")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-encoding"] == "gzip"
    assert (posted.status_code, posted.headers["allow"]) == (405, "GET, HEAD")
    assert with_parameter.status_code == 200


@pytest.mark.parametrize("path", ["/users/noise_1", "/users/noise_1/posts", "/currencies", "/nope"])
async def test_api_responses_are_never_compressed(stranger: Browser, path: str) -> None:
    answer = await stranger.get(path, headers=GZIP)

    assert "content-encoding" not in answer.headers


@pytest.mark.parametrize(
    ("header", "is_accepted"),
    [
        ("gzip", True),
        ("br, GZIP ; q=0.5", True),
        ("*", True),
        ("*;q=0.1, br", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("*;q=0", False),
        ("identity", False),
        ("br, deflate", False),
        ("", False),
    ],
)
def test_gzip_is_accepted_unless_its_weight_is_zero(header: str, *, is_accepted: bool) -> None:
    assert accepts_gzip(Headers({"Accept-Encoding": header})) is is_accepted


def test_request_without_accept_encoding_is_not_compressed() -> None:
    assert not accepts_gzip(Headers({}))
