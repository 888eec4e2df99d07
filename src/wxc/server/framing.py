"""Which requests have one meaning only (RFC 9112): proxies and servers must not disagree."""

import re
from collections import Counter
from collections.abc import Sequence

_VERSIONS = ("1.0", "1.1")
# uri-host [":" port], RFC 9110 section 7.2; empty for a target without an authority
_HOST = re.compile(rb"(?:[\w.~!$&'()*+;=%-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]*)?", re.ASCII)


def is_unambiguous(version: str, headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Whether the version is known and `Host`, the length and the coding are stated once.

    The parser itself refuses a repeated `Content-Length`, and one beside `Transfer-Encoding`.
    """
    count = Counter(name for name, _ in headers)
    values = dict(headers)
    if version not in _VERSIONS or count[b"host"] > 1 or count[b"transfer-encoding"] > 1:
        return False
    if version == "1.1" and b"host" not in values:
        return False
    if b"transfer-encoding" in values and (
        version == "1.0" or values[b"transfer-encoding"].lower() != b"chunked"
    ):
        return False
    return _HOST.fullmatch(values.get(b"host", b"")) is not None
