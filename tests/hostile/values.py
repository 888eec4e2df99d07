"""Random hostile values for any slot, repeatable by seed."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from random import Random
from urllib.parse import quote
from uuid import UUID

from tests.hostile.corpus import CANARY, Operation, Slot, operations, quoted
from tests.hostile.test_body_shape import NOT_JSON, NOT_OBJECTS, WRONG_TYPES
from tests.hostile.test_body_values import KINDS
from tests.hostile.test_event_loop import hostile_texts
from tests.hostile.test_headers import GARBAGE, READ
from tests.hostile.test_paths import NO_USERNAMES, NO_UUIDS
from tests.hostile.test_queries import FORGED, NO_INTEGERS, TEXTS, UNKNOWN_NAMES
from tests.hostile.test_texts import LANGUAGES

COOKIES = ("wxc_access", "wxc_refresh", "wxc_device")
WHOLE_BODY = "the whole body"
UNDECLARED = "an undeclared parameter"
_PROTOCOL = ("content-type", "content-length", "content-encoding", "x-csrf-token", "origin")
_OTHER_HEADERS = (*READ, *_PROTOCOL, "sec-fetch-site")
_MAX_RANDOM_LENGTH = 400
# Controls, combining and invisible characters, surrogates, metacharacters and others.
_CHARACTERS = (
    "\0\t\n\r\x1b\x7f\x85\u00ad\u0301\u0327\u200b\u200d\u202e\u2028\u3164\ud800\udfff\ufeff"
)
_CHARACTERS += "%_\\'\"`<>&{}[]()|;:,./?#@!$*+-=~^ aA0éßİıﬁΩ١字👩🏽"  # noqa: RUF001
_NUMBERS: tuple[str, ...] = (
    "0",
    "-0",
    "-1",
    "1",
    "0.1",
    "1e-400",
    "1e400",
    "1e308",
    "NaN",
    "0.00000000000001",
)
_NUMBERS += tuple(str(2**bits) for bits in (31, 32, 53, 63, 64, 1000))


@dataclass(frozen=True)
class Place:
    """A part of a request that can have a hostile value."""

    operation: Operation
    kind: str
    """`path`, `query`, `header`, `cookie` or `body`."""
    name: str
    slot: Slot | None = None

    def __str__(self) -> str:
        return f"{self.operation} {self.kind} {self.name}"

    def draw(self, random: Random) -> str | bytes:
        """A hostile value, encoded for this place; JSON for a body."""
        return _DRAWN[self.kind](random, self)


@cache
def places_of(operation: Operation) -> tuple[Place, ...]:
    """All slots of the operation, and parts of each request that are not declared."""
    declared = {
        kind: {
            str(slot.path[0]).lower() if kind == "header" else str(slot.path[0]): slot
            for slot in operation.parameters(kind)
        }
        for kind in ("path", "query", "header")
    }
    undeclared = dict.fromkeys(set(_OTHER_HEADERS) - declared["header"].keys())
    body = {slot.pointer: slot for slot in operation.slots} if operation.examples else {}
    kinds: Mapping[str, Mapping[str, Slot | None]] = {
        "path": declared["path"],
        "query": {**declared["query"], UNDECLARED: None},
        "header": {**declared["header"], **dict(sorted(undeclared.items()))},
        "cookie": dict.fromkeys(COOKIES),
        "body": {**body, WHOLE_BODY: None},
    }
    return tuple(
        Place(operation, kind, name, slot)
        for kind, slots in kinds.items()
        for name, slot in slots.items()
    )


def all_places() -> list[Place]:
    """The places of all operations."""
    return [place for operation in operations() for place in places_of(operation)]


def _path_value(random: Random, place: Place) -> str:
    valid = UUID(int=random.getrandbits(128))
    known = [*(each.replace("$", str(valid)) for each in NO_UUIDS), *NO_USERNAMES, *_ENCODED_PATHS]
    value = random.choice([*known, valid.hex, str(valid)])
    value = _ascii(value).replace("?", "%3F")
    return value if random.random() < 0.6 else _escaped(random, _text(random))


def _query_value(random: Random, place: Place) -> str:
    value = random.choice((*NO_INTEGERS, *FORGED, *_NUMBERS, *map(_quoted, TEXTS)))
    value = _ascii(value) if random.random() < 0.6 else _escaped(random, _text(random))
    return _ascii(f"{random.choice(UNKNOWN_NAMES)}={value}") if place.name == UNDECLARED else value


def _header_value(random: Random, place: Place) -> bytes:
    if place.name == "content-type" and random.random() < 0.5:
        return random.choice(WRONG_TYPES).encode()
    if place.name == "content-length":
        # No valid length: the server would wait for a longer body, or cut a shorter one.
        return random.choice((b"-1", b"+1", b"1e3", b"0x10", b"1,1", b"9" * 5000, CANARY.encode()))
    if random.random() < 0.6:
        return random.choice(GARBAGE)
    return _one_line(_text(random))


def _cookie_value(random: Random, place: Place) -> bytes:
    return _header_value(random, place).replace(b";", b"")


def _body_value(random: Random, place: Place) -> bytes:
    if place.name == WHOLE_BODY:
        return _whole_body(random, place.operation)
    drawn = random.random()
    if drawn < 0.5:
        return random.choice(_known(place.operation, place.name))
    if drawn < 0.6:
        return random.choice(_NUMBERS).encode()
    if drawn < 0.7:
        return random.choice((*NOT_OBJECTS.values(), *NOT_JSON.values()))
    return json.dumps(_text(random), ensure_ascii=random.random() < 0.5).encode(
        "utf-8", "surrogatepass"
    )


def _whole_body(random: Random, operation: Operation) -> bytes:
    depth = random.choice((2, 30, 33, 1000, 100_000))
    broken = [*NOT_OBJECTS.values(), *NOT_JSON.values(), b"[" * depth, b'{"a":' * depth]
    if not operation.examples or random.random() < 0.4:
        return random.choice([*broken, b" " * 10**6, b"[" * depth + b"]" * depth])
    # A refusal may contain the name of the field, so no canary in it.
    unknown = _text(random).replace(CANARY, "")
    name = random.choice((unknown, "__proto__", "is_admin", "\ud800", str(random.random())))
    whole = operation.body_with((name,), quoted(CANARY))
    cut = random.randrange(len(whole))
    return random.choice((whole, whole[:cut], whole[:cut] + b"\xff" + whole[cut:], whole * 2))


_DRAWN: Mapping[str, Callable[[Random, Place], str | bytes]] = {
    "path": _path_value,
    "query": _query_value,
    "header": _header_value,
    "cookie": _cookie_value,
    "body": _body_value,
}


@cache
def _known(operation: Operation, pointer: str) -> list[bytes]:
    """The values of the tests of single fields, as JSON."""
    (slot,) = (each for each in operation.slots if each.pointer == pointer)
    texts = [json.dumps(text).encode() for text in (*hostile_texts(slot), *LANGUAGES)]
    return [source for kind in KINDS.values() for source in kind(slot)] + texts


def _text(random: Random) -> str:
    """A known text or random characters, with up to two random changes."""
    text = random.choice((*LANGUAGES, *TEXTS, *FORGED, CANARY, "grace", "100", "EUR"))
    if random.random() < 0.3:
        length = random.randrange(1, _MAX_RANDOM_LENGTH)
        text = "".join(random.choices(_CHARACTERS, k=length))
    for change in random.sample(_CHANGES, k=random.randrange(3)):
        text = change(random, text)
    return text


def _truncated(random: Random, text: str) -> str:
    return text[: random.randrange(len(text) + 1)]


def _repeated(random: Random, text: str) -> str:
    return (text * random.choice((2, 10, 200)))[:20_000]


def _with_character(random: Random, text: str) -> str:
    index = random.randrange(len(text) + 1)
    return text[:index] + random.choice(_CHARACTERS) + text[index:]


def _with_canary(random: Random, text: str) -> str:
    return random.choice((f"{CANARY}{text}", f"{text}{CANARY}", f"{text} {CANARY} {text}"))


_CHANGES = (_truncated, _repeated, _with_character, _with_canary)


def _escaped(random: Random, text: str) -> str:
    """The text percent-encoded: as browsers do, or every byte."""
    if random.random() < 0.2:
        return "".join(f"%{byte:02x}" for byte in text.encode("utf-8", "surrogatepass"))
    return quote(text.encode("utf-8", "surrogatepass"), safe="")


def _quoted(text: str) -> str:
    return quote(text, safe="")


def _ascii(text: str) -> str:
    """Escape the characters that the server refuses in a target."""
    return quote(text, safe="".join(chr(code) for code in range(0x21, 0x7F) if chr(code) != "#"))


def _one_line(text: str) -> bytes:
    """Remove the characters that the server refuses in a header."""
    return text.encode("utf-8", "surrogatepass").translate(None, b"\r\n")[:8000]


def _encoded_paths() -> Iterator[str]:
    yield from ("%00", f"{CANARY}%00", "%2F", "grace%2ffollow", "..%2Ffeeds", CANARY * 1000)
    yield from ("%41" * 3000, "nobody_here", "___", str(UUID(int=0)), str(UUID(int=2**128 - 1)))


_ENCODED_PATHS = tuple(_encoded_paths())
