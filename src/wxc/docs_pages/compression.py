"""Compresses public texts once; they are the same for everyone.

API responses are never compressed: they contain secrets next to text that other users choose
(BREACH).
"""

import gzip
import hashlib
import re
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import Response

from wxc.http import etags

_DIGEST_BYTES = 12  # 96 bits: collisions are negligible
_ZERO_WEIGHT = re.compile(r"q=0(\.0{0,3})?")


@dataclass(frozen=True, slots=True)
class CompressedText:
    """A text in both encodings; each has its own ETag."""

    plain: bytes
    gzipped: bytes
    digest: str
    media_type: str
    cache_control: str

    def response(self, request_headers: Headers) -> Response:
        """The text in an encoding that the client accepts, or 304 if the client has it already."""
        is_gzipped = accepts_gzip(request_headers)
        headers = {
            "ETag": f'"{self.digest}-gzip"' if is_gzipped else f'"{self.digest}"',
            "Cache-Control": self.cache_control,
            "Vary": "Accept-Encoding",
        }
        if_none_match = request_headers.get("if-none-match")
        if if_none_match is not None and etags.matches_etag(headers["ETag"], if_none_match):
            return Response(status_code=304, headers=headers)
        if is_gzipped:
            headers["Content-Encoding"] = "gzip"
        body = self.gzipped if is_gzipped else self.plain
        return Response(body, headers=headers, media_type=self.media_type)


def compress(plain: bytes, media_type: str, cache_control: str) -> CompressedText:
    """Compress a text; a megabyte takes 0.1 s, so do not call this on the event loop."""
    gzipped = gzip.compress(plain, mtime=0)  # every process returns the same bytes
    digest = hashlib.blake2b(plain, digest_size=_DIGEST_BYTES).hexdigest()
    return CompressedText(plain, gzipped, digest, media_type, cache_control)


def accepts_gzip(request_headers: Headers) -> bool:
    """Whether a client accepts gzip (RFC 9110 section 12.5.3); `*` matches unnamed codings."""
    weights: dict[str, str] = {}
    for part in ",".join(request_headers.getlist("accept-encoding")).lower().split(","):
        name, _, weight = part.partition(";")
        weights[name.strip()] = re.sub(r"\s", "", weight)
    weight = weights.get("gzip", weights.get("*", "q=0"))
    return not _ZERO_WEIGHT.fullmatch(weight)
