"""ETags: `"<version>.<hash of the body>"`, and the requests that depend on them.

The version is a column that every change by a writer raises, and counters do not; the hash covers
all that the reader sees. Who reads compares both (If-None-Match, RFC 9110 section 13.1.2), who
writes only the version (If-Match, section 13.1.1): a like in between is no reason to refuse.
The versions go into the WHERE of the UPDATE, so that comparing and writing are one.
"""

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Depends, Header, Response

from wxc.http.answers import written
from wxc.http.openapi import headers, raises
from wxc.http.refusals import PreconditionFailed

Body = TypeVar("Body")
Versions = frozenset[int] | None
"""The versions that a writer may have read; None for whoever does not care."""

_TAG = re.compile(r'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_TAGS = re.compile(rf"(?:[ \t,]*{_TAG.pattern})+[ \t,]*")
_STRONG_OURS = re.compile(r'"([0-9]{1,9})\.[A-Za-z0-9_-]+"', re.ASCII)
_HASH_LENGTH = 12  # bytes: an accidental match is as good as impossible


@dataclass(frozen=True, slots=True)
class Versioned(Generic[Body]):
    """What is answered, and the version of what it shows."""

    body: Body
    version: int

    @property
    def etag(self) -> str:
        """The tag of exactly this answer."""
        return _etag(self.version, written(self.body))


def answer(found: Versioned[Body], known: str | None, *, is_signed_in: bool) -> Response:
    """200 with the body, or 304 for who has it already.

    Nobody may use a stored answer unasked. What a member sees may be stored by their browser
    alone; what everybody sees by a proxy too.
    """
    body = written(found.body)
    etag = _etag(found.version, body)
    headers = {
        "ETag": etag,
        "Cache-Control": "private, no-cache" if is_signed_in else "no-cache",
        "Vary": "Cookie",  # and Origin, which CORS adds to every answer
    }
    if known is not None and is_known(etag, known):
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type="application/json")


def stamped(response: Response, found: Versioned[Body]) -> Body:
    """The body, with its tag on the answer to who has just written it."""
    response.headers["ETag"] = found.etag
    return found.body


def is_known(etag: str, known: str) -> bool:
    """Whether `If-None-Match` has a tag: compared weakly, as proxies that compress weaken tags."""
    return known.strip() == "*" or etag in (tag.removeprefix("W/") for tag in _tags(known))


@raises(PreconditionFailed)
async def _versions(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description="The `ETag` that you have read: what has been changed by somebody else "
            "since is not overwritten. Only its version counts.",
        ),
    ] = None,
) -> Versions:
    """None without the header and for `*`; whatever is no strong tag of ours matches nothing."""
    if if_match is None or if_match.strip() == "*":
        return None
    found = (_STRONG_OURS.fullmatch(tag) for tag in _tags(if_match))
    return frozenset(int(own[1]) for own in found if own)


IfMatch = Annotated[Versions, Depends(_versions)]
IfNoneMatch = Annotated[
    str | None,
    Header(
        alias="If-None-Match",
        description="`ETag`s that you have: 304 if one of them is still right.",
    ),
]

_CACHED = headers("ETag", "Cache-Control", "Vary")
ON_READ: dict[int | str, dict[str, Any]] = {
    200: {"headers": _CACHED},
    304: {"description": "What you have is still right.", "headers": _CACHED},
}
"""The `responses` of a route that answers with `answer`."""
ON_WRITE: dict[int | str, dict[str, Any]] = {200: {"headers": headers("ETag")}}
"""The `responses` of a route that answers with `stamped`."""


def _etag(version: int, body: bytes) -> str:
    digest = hashlib.blake2b(body, digest_size=_HASH_LENGTH).digest()
    return f'"{version}.{urlsafe_b64encode(digest).decode()}"'


def _tags(header: str) -> Sequence[str]:
    """The tags of a list; none of what is no list of tags."""
    return _TAG.findall(header) if _TAGS.fullmatch(header) else ()
