"""What nobody can see is no text, and a name contains nothing that changes how others are shown."""

from typing import Annotated, Any

import pytest
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection
from tests.conftest import Member
from tests.support.factories import make_post, make_user

from wxc.core.text import Text

# Default_Ignorable_Code_Point of Unicode 17 (DerivedCoreProperties.txt), unassigned ones included.
DEFAULT_IGNORABLE = (
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x61C, 0x61C),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x202A, 0x202E),
    (0x2060, 0x206F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFF8),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)
NONCHARACTERS = (
    (0xFDD0, 0xFDEF),
    *((plane | 0xFFFE, plane | 0xFFFF) for plane in range(0, 0x110000, 0x10000)),
)
BLANK = {
    "variation selectors supplement": "\U000e0100\U000e01ef",
    "tags": "\U000e0020\U000e0061",
    "language tag": "\U000e0001",
    "unassigned in plane 14": "\U000e0080\U000e0fff",
    "musical format": "\U0001d173\U0001d17a",
    "shorthand format": "\U0001bca0\U0001bca3",
    "noncharacter": "\ufdd0\uffff",
    "noncharacter in plane 16": "\U0010fffe\U0010ffff",
    "unassigned in plane 0": "\u2065\ufff0",
    "zero width": "\u200b\u200d\ufeff",
}
FLAG_OF_SCOTLAND = "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f"
FLAG_OF_TEXAS = "\U0001f3f4\U000e0075\U000e0073\U000e0074\U000e0078\U000e007f"
DISTORTING = {
    "right-to-left override": "ada\u202egnp.exe",
    "left-to-right override": "\u202dada\u202c",
    "right-to-left embedding": "\u202bada\u202c",
    "left-to-right embedding": "\u202aada\u202c",
    "left-to-right isolate": "\u2066ada",
    "right-to-left isolate": "ada \u2067lovelace",
    "first-strong isolate": "\u2068ada",
    "isolate closed before it is opened": "\u2069\u2066ada",
    "second isolate open": "\u2066\u2067ada\u2069",
    "tags": "ada\U000e0061\U000e0064",
    "language tag": "ada\U000e0001",
    "flag without its end": f"ada {FLAG_OF_SCOTLAND[:-1]}",
    "tags after a flag": f"ada {FLAG_OF_SCOTLAND}\U000e0067",
    "tags after another emoji": "ada \U0001f600\U000e0067\U000e0062\U000e007f",
    "flag with too many tags": "\U0001f3f4" + "\U000e0067" * 9 + "\U000e007f",
}
HARMLESS = {
    "isolated": "ada \u2067\u05e2\u05d3\u05d4\u2069",
    "nested isolates": "\u2066a \u2068b\u2069 c\u2069",
    "marks of direction": "\u05e2\u05d3\u05d4\u200f (ada)\u200e",
    "flags": f"ada {FLAG_OF_SCOTLAND}{FLAG_OF_TEXAS}",
    "emoji": "\U0001f469\U0001f3fd\u200d\U0001f680 \u2764\ufe0f \U0001f1e9\U0001f1ea",
    "ideographic variation": "\u845b\U000e0100",
    "joiners": "\u0646\u0627\u0645\u0647\u200c\u0627\u06cc",
}
NAMES = {
    "registration": ("POST", "/register", "display_name"),
    "display name": ("PUT", "/settings", "display_name"),
    "exchange": ("PUT", "/exchange", "name"),
}
TEXTS = NAMES | {
    "bio": ("PUT", "/settings", "bio"),
    "description": ("PUT", "/exchange", "description"),
    "address": ("PUT", "/exchange", "address"),
    "post": ("POST", "/posts", "body"),
    "comment": ("POST", "/posts/{post}/comments", "body"),
    "report": ("POST", "/reports", "detail"),
}


async def send(member: Member, connection: AsyncConnection, slot: str, text: str) -> Any:
    """A request with the text in this place, and otherwise valid."""
    ada, bob = await member("ada"), await make_user(connection, "bob")
    post = await make_post(connection, bob)
    method, path, field = TEXTS[slot]
    bodies: dict[str, dict[str, Any]] = {
        "/register": {
            "username": "grace",
            "email": "grace@example.com",
            "password": "a long walk in Porto",
        },
        "/exchange": {"name": "Ada's", "base_currency": "SGD", "rates": []},
        "/reports": {"target_type": "post", "target_id": str(post), "reason": "spam"},
    }
    body = bodies.get(path, {}) | {field: text}
    return await ada.request(method, path.format(post=post), json=body)


@pytest.mark.parametrize("text", BLANK.values(), ids=BLANK)
@pytest.mark.parametrize("slot", TEXTS)
async def test_no_text_is_blank_in_any_plane(
    member: Member, connection: AsyncConnection, slot: str, text: str
) -> None:
    answer = await send(member, connection, slot, text)

    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


@pytest.mark.parametrize("text", DISTORTING.values(), ids=DISTORTING)
@pytest.mark.parametrize("slot", NAMES)
async def test_a_name_distorts_no_text_around_it(
    member: Member, connection: AsyncConnection, slot: str, text: str
) -> None:
    answer = await send(member, connection, slot, text)

    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


@pytest.mark.parametrize("text", HARMLESS.values(), ids=HARMLESS)
@pytest.mark.parametrize("slot", TEXTS)
async def test_names_and_texts_of_all_languages_are_accepted(
    member: Member, connection: AsyncConnection, slot: str, text: str
) -> None:
    answer = await send(member, connection, slot, text)

    assert answer.is_success, answer.text


@pytest.mark.parametrize("one_line", [True, False])
@pytest.mark.parametrize("ranges", [DEFAULT_IGNORABLE, NONCHARACTERS], ids=["ignorable", "non"])
def test_no_code_point_without_a_shape_makes_a_text(
    ranges: tuple[tuple[int, int], ...], one_line: bool
) -> None:
    adapter = TypeAdapter(Annotated[str, Text(10, one_line=one_line)])
    accepted = []
    for first, last in ranges:
        for number in range(first, last + 1):
            try:
                adapter.validate_python(f" {chr(number)}")
            except ValidationError:
                continue
            accepted.append(f"U+{number:04X}")

    assert accepted == []
    for text in ("a", "\u00e9", "\u4e2d", "\U00020000", "\U0001f600", "\u0915\u094d"):
        assert adapter.validate_python(text) == text
