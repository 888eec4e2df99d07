"""Conditional requests with ETags of the form `"<version>.<hash of the body>"`.

Every edit increments the version column; counters do not. The hash covers the whole body. Reads
compare both (If-None-Match, RFC 9110 section 13.1.2), writes only the version (If-Match, section
13.1.1), so that a like does not make an edit fail. The versions go into the WHERE of the UPDATE,
which makes comparison and write atomic.
"""

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import Depends, Header, Response

from wxc.http.answers import json_bytes
from wxc.http.openapi import headers, raises
from wxc.http.refusals.resources import PreconditionFailed

Body = TypeVar("Body")
AnyVersion = Literal["*"]
Versions = frozenset[int] | AnyVersion | None
"""The versions that the client may have read; None for an unconditional write."""

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_TAGS = re.compile(rf"(?:[ \t,]*{_TAG.pattern})+[ \t,]*")
_OWN_STRONG_TAG = re.compile(r'"([0-9]{1,9})\.[A-Za-z0-9_-]+"', re.ASCII)
_HASH_LENGTH = 12  # bytes: accidental matches are practically impossible


@dataclass(frozen=True, slots=True)
class Versioned(Generic[Body]):
    """A response body with the version of its resource."""

    body: Body
    version: int

    @property
    def etag(self) -> str:
        return _etag(self.version, json_bytes(self.body))


def conditional_response(
    found: Versioned[Body], if_none_match: str | None, *, is_signed_in: bool
) -> Response:
    """200 with the body, or 304 if the client has it already.

    A stored response must be revalidated. Only the browser may store a signed-in user's response;
    a proxy may store an anonymous one.
    """
    body = json_bytes(found.body)
    etag = _etag(found.version, body)
    headers = {
        "ETag": etag,
        "Cache-Control": "private, no-cache" if is_signed_in else "no-cache",
        "Vary": "Cookie",  # and Origin, which CORS adds to every response
    }
    if if_none_match is not None and matches_etag(etag, if_none_match):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def with_etag(response: Response, found: Versioned[Body]) -> Body:
    """Set the `ETag` of the response to a write; returns the body."""
    response.headers["ETag"] = found.etag
    return found.body


def matches_etag(etag: str, if_none_match: str) -> bool:
    """Whether `If-None-Match` has the tag, compared weakly: compressing proxies weaken tags."""
    tags = (tag.removeprefix("W/") for tag in _tags(if_none_match))
    return if_none_match.strip() == "*" or etag in tags


@raises(PreconditionFailed)
async def _versions(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description="The `ETag` of the version that you edited. If the resource has changed "
            "since then, the answer is 412. Only the version is compared, not the hash. `*` "
            "matches any version, if the resource exists.",
        ),
    ] = None,
) -> Versions:
    """The versions in the header. Only our strong tags have one."""
    if if_match is None:
        return None
    if if_match.strip() == "*":
        return "*"
    matches = (_OWN_STRONG_TAG.fullmatch(tag) for tag in _tags(if_match))
    return frozenset(int(match[1]) for match in matches if match)


def listed(versions: Versions) -> list[int] | None:
    """The versions that an existing resource may have; None for any."""
    return sorted(versions) if isinstance(versions, frozenset) else None


IfMatch = Annotated[Versions, Depends(_versions)]
IfNoneMatch = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        description="The `ETag`s of your cached copies; 304 if one of them is current.",
    ),
]

_CACHED = headers("ETag", "Cache-Control", "Vary")
ON_READ: dict[int | str, dict[str, Any]] = {
    200: {"headers": _CACHED},
    304: {"description": "Not modified: your cached copy is current.", "headers": _CACHED},
}
"""The `responses` of a route that returns `conditional_response`."""
ON_WRITE: dict[int | str, dict[str, Any]] = {200: {"headers": headers("ETag")}}
"""The `responses` of a route that returns `with_etag`."""


def _etag(version: int, body: bytes) -> str:
    digest = hashlib.blake2b(body, digest_size=_HASH_LENGTH).digest()
    return f'"{version}.{urlsafe_b64encode(digest).decode()}"'


def _tags(header: str) -> Sequence[str]:
    """The tags of a list; none if the header is malformed."""
    return _TAG.findall(header) if _TAGS.fullmatch(header) else ()
