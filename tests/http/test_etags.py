"""Conditional requests (RFC 9110 section 13.1)."""

import pytest
from fastapi import FastAPI, Response
from httpx import ASGITransport, AsyncClient
from pydantic import BaseModel

from wxc.http.etags import IfMatch as IfMatchHeader
from wxc.http.etags import Versioned, Versions, conditional_response, listed


class Page(BaseModel):
    text: str


FOUND = Versioned(Page(text="hello"), 7)
MATCHING = (
    FOUND.etag,
    f"W/{FOUND.etag}",
    f'"x", {FOUND.etag}',
    f'"a,b" , W/{FOUND.etag}',
    "*",
    " * ",
)
OTHERS = (
    "",
    '""',
    "7",
    FOUND.etag.strip('"'),
    FOUND.etag[:-1],
    FOUND.etag.replace("7", "8", 1),
    Versioned(Page(text="other"), 7).etag,
    f"w/{FOUND.etag}x",
    '"*"',
    "\xff",
)


def test_etag_consists_of_version_and_hash_of_the_body() -> None:
    version, _, digest = FOUND.etag.strip('"').partition(".")

    assert (version, len(digest)) == ("7", 16)
    assert Versioned(Page(text="hello"), 7).etag == FOUND.etag
    assert Versioned(Page(text="other"), 7).etag != FOUND.etag


@pytest.mark.parametrize("known", MATCHING)
def test_matching_etag_returns_304_with_the_same_headers_and_no_body(known: str) -> None:
    full, short = (conditional_response(FOUND, one, is_signed_in=True) for one in (None, known))

    assert (full.status_code, full.body) == (200, b'{"text":"hello"}')
    assert (short.status_code, short.body) == (304, b"")
    for name in ("etag", "cache-control", "vary"):
        assert short.headers[name] == full.headers[name]


@pytest.mark.parametrize("known", OTHERS)
def test_different_etag_returns_the_whole_body(known: str) -> None:
    assert conditional_response(FOUND, known, is_signed_in=True).status_code == 200


def test_response_to_a_signed_in_user_is_private() -> None:
    private, public = (conditional_response(FOUND, None, is_signed_in=one) for one in (True, False))

    assert private.headers["cache-control"] == "private, no-cache"
    assert public.headers["cache-control"] == "no-cache"
    assert private.headers["vary"] == public.headers["vary"] == "Cookie"


async def _read(header: str | None) -> Versions:
    app = FastAPI()

    @app.put("/")
    async def write(versions: IfMatchHeader) -> Response:
        app.state.versions = versions
        return Response()

    headers = [] if header is None else [(b"If-Match", header.encode("latin-1"))]
    async with AsyncClient(transport=ASGITransport(app), base_url="http://api.test") as client:
        await client.put("/", headers=headers)
    versions: Versions = app.state.versions
    return versions


@pytest.mark.parametrize("header", [None, "*", " * "])
async def test_missing_or_wildcard_if_match_accepts_every_version(header: str | None) -> None:
    versions = await _read(header)

    assert versions == (header and "*")
    assert listed(versions) is None


@pytest.mark.parametrize(
    ("header", "versions"),
    [
        (FOUND.etag, {7}),
        ('"7.anything"', {7}),
        ('"7.a", "12.b"', {7, 12}),
        ('W/"7.a"', set()),  # If-Match never matches a weak tag
        ('"7"', set()),
        ('"-7.a"', set()),
        ('"99999999999.a"', set()),
        ('"\u0663.a"'.encode().decode("latin-1"), set()),
        ("", set()),
        ("7.a", set()),
        ('"*"', set()),
    ],
)
async def test_if_match_reads_only_the_versions_of_strong_tags(
    header: str, versions: set[int]
) -> None:
    assert listed(await _read(header)) == sorted(versions)
