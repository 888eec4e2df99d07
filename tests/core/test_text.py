"""Text is normalised, bounded and never blank; JSON schema and validator agree."""

import re
import unicodedata
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from wxc.core.text import EmailAddress, Secret, Text, nfc

ONE_LINE = TypeAdapter(Annotated[str, Text(10, one_line=True)])
LINES = TypeAdapter(Annotated[str, Text(10)])
PASSWORD = TypeAdapter(Annotated[str, Secret(128, 8)])
EMAIL = TypeAdapter(EmailAddress)
LONG = TypeAdapter(Annotated[str, Text(5000)])
NO_PATTERN = [*"\u2066\u2067\u2068", *map(chr, range(0xE0000, 0xE0080))]
"""Isolates and tags, whose rules are not in the schema."""
ABOVE, BELOW = "\u0301", "\u0327"


@pytest.mark.parametrize("adapter", [ONE_LINE, LINES, PASSWORD], ids=["line", "lines", "password"])
@given(text=st.text(st.characters(exclude_characters=NO_PATTERN), max_size=14))
def test_the_schema_and_the_validator_accept_the_same_texts(
    adapter: TypeAdapter[str], text: str
) -> None:
    schema = adapter.json_schema()
    text = unicodedata.normalize("NFC", text)
    is_valid = (
        schema["minLength"] <= len(text) <= schema["maxLength"]
        and re.fullmatch(schema["pattern"], text) is not None  # `$` also matches before \n
    )

    try:
        assert adapter.validate_python(text) == text
    except ValidationError:
        assert not is_valid
    else:
        assert is_valid


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Ada@EXAMPLE.com", "Ada@example.com"),
        ("ada+tag@example.com", "ada+tag@example.com"),
        ("a.d.a@example.com", "a.d.a@example.com"),
        ("ada@b\u00fccher.example", "ada@xn--bcher-kva.example"),
        ("ada@mail.test", "ada@mail.test"),
        (" ada@example.com", "ada@example.com"),
        ("ada@example.com\r\n", "ada@example.com"),
    ],
)
def test_an_address_keeps_its_local_part_and_has_its_domain_in_lower_case(
    typed: str, expected: str
) -> None:
    assert EMAIL.validate_python(typed) == expected


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "ada",
        "ada@",
        "@example.com",
        "a@b",
        "ada@example..com",
        "ada@@example.com",
        "ada @example.com",
        " " * 1017 + "ada@example.com",
        "ada@exam\r\nBcc: x@example.com",
        '"ada l"@example.com',
        "ada@[192.0.2.1]",
        "Ada <ada@example.com>",
        "a" * 250 + "@example.com",
        "a" * 320,
        "ada\0@example.com",
        "ada@-example.com",
        7,
        None,
    ],
)
def test_invalid_addresses_are_refused(typed: object) -> None:
    with pytest.raises(ValidationError) as caught:
        EMAIL.validate_python(typed)

    assert caught.value.errors()[0]["type"] in ("email_malformed", "string_type")


@given(
    st.text(
        st.sampled_from(
            "\u0301\u0327\u0344\u0345\u0f71\u0f72\u0f73\u0f81\u093c\u1161e\u00e9\u1100 "
        ),
        max_size=100,
    )
)
def test_sorting_marks_first_does_not_change_the_normal_form(text: str) -> None:
    assert nfc(text) == unicodedata.normalize("NFC", text)
    marks = text.replace("e", "").replace(" ", "") * 3
    assert nfc(marks) == unicodedata.normalize("NFC", marks)


def test_at_most_a_thousand_combining_marks_in_a_row_are_accepted() -> None:
    assert LONG.validate_python(f"e{BELOW * 500}{ABOVE * 500} e{ABOVE * 1000}")
    with pytest.raises(ValidationError, match="1000 accents"):
        LONG.validate_python(f"e{BELOW * 500}{ABOVE * 501}")


def test_the_raw_text_may_be_four_times_as_long_as_the_limit() -> None:
    assert LINES.validate_python("\u1112\u1161\u11ab" * 10) == "\ud55c" * 10  # three to one
    for adapter, limit in ((LINES, 10), (ONE_LINE, 10), (PASSWORD, 128)):
        with pytest.raises(ValidationError, match=f"at most {limit} characters"):
            adapter.validate_python("a" * (limit * 4 + 1))
