import json
import re
from collections.abc import Iterable, MutableMapping
from typing import Any, NoReturn

from wxc.http.refusals.requests import BodyTooLarge, DuplicateKey, JsonMalformed, JsonTooDeep

MAX_JSON_DEPTH = 32
MAX_JSON_TOKENS = 5_000
"""Strings, brackets and separators. The largest useful body (60 rates, 28 opening hours) has fewer
than 2,000; without a limit, 80,000 empty objects in 240 kB took 100 ms."""

# An unclosed string matches too: otherwise the search would start again at each of its quotes.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{},:]', re.S)

_TOKEN_STARTS = (b"[", b"{", b",", b'"')


def check_json(body: bytes) -> None:
    """Refuse JSON on which parsers differ: deep nesting, repeated keys, NaN, bad UTF-8, a BOM.

    Raises `JsonTooDeep`, `BodyTooLarge` for too many tokens, `DuplicateKey`, `JsonMalformed`.
    """
    if sum(map(body.count, _TOKEN_STARTS)) > MAX_JSON_DEPTH:
        _check_tokens(body)
    try:
        json.loads(
            body.decode(), object_pairs_hook=_require_unique_keys, parse_constant=_refuse_constant
        )
    except (ValueError, RecursionError) as error:
        raise JsonMalformed from error


def _check_tokens(body: bytes) -> None:
    """Count tokens and nesting depth, up to the first excess."""
    depth = 0
    for count, token in enumerate(_TOKEN.finditer(body)):
        byte = body[token.start()]
        if byte in b"[{":
            depth += 1
        elif byte in b"]}":
            depth -= 1
        if depth > MAX_JSON_DEPTH:
            raise JsonTooDeep
        if count >= MAX_JSON_TOKENS:
            raise BodyTooLarge


def _require_unique_keys(pairs: Iterable[tuple[str, Any]]) -> MutableMapping[str, Any]:
    pairs = list(pairs)
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise DuplicateKey
    return fields


def _refuse_constant(_name: str) -> NoReturn:
    raise JsonMalformed
