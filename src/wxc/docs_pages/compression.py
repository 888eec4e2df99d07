"""Public text that is the same for everyone, compressed once.

Answers of the API are never compressed: they hold secrets beside text that others choose (BREACH).
"""

import gzip
import hashlib
import re
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import Response

from wxc.http import etags

_DIGEST_BYTES = 12  # an accidental match is as good as impossible
_ZERO = re.compile(r"q=0(\.0{0,3})?")


@dataclass(frozen=True, slots=True)
class CompressedText:
    """A text in both encodings, each with an ETag of its own."""

    plain: bytes
    gzipped: bytes
    digest: str
    media_type: str
    cache_control: str

    def answer(self, asked: Headers) -> Response:
        """The encoding that a client accepts, or 304 if it has that already."""
        is_gzipped = accepts_gzip(asked)
        headers = {
            "ETag": f'"{self.digest}-gzip"' if is_gzipped else f'"{self.digest}"',
            "Cache-Control": self.cache_control,
            "Vary": "Accept-Encoding",
        }
        known = asked.get("if-none-match")
        if known is not None and etags.matches_etag(headers["ETag"], known):
            return Response(status_code=304, headers=headers)
        if is_gzipped:
            headers["Content-Encoding"] = "gzip"
        body = self.gzipped if is_gzipped else self.plain
        return Response(body, headers=headers, media_type=self.media_type)


def compress(plain: bytes, media_type: str, cache_control: str) -> CompressedText:
    """Compress a text; megabytes take a tenth of a second, so not on the event loop."""
    gzipped = gzip.compress(plain, mtime=0)  # the same bytes from every process
    digest = hashlib.blake2b(plain, digest_size=_DIGEST_BYTES).hexdigest()
    return CompressedText(plain, gzipped, digest, media_type, cache_control)


def accepts_gzip(asked: Headers) -> bool:
    """Whether a client accepts gzip: RFC 9110 section 12.5.3, where `*` is what is not named."""
    weights: dict[str, str] = {}
    for part in ",".join(asked.getlist("accept-encoding")).lower().split(","):
        name, _, weight = part.partition(";")
        weights[name.strip()] = re.sub(r"\s", "", weight)
    weight = weights.get("gzip", weights.get("*", "q=0"))
    return not _ZERO.fullmatch(weight)
