"""Text is normalised, measured and never blank; the schema says the same as the check."""

import re
import unicodedata
from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from wxc.core.text import EmailAddress, Secret, Text

ONE_LINE = TypeAdapter(Annotated[str, Text(10, one_line=True)])
LINES = TypeAdapter(Annotated[str, Text(10)])
PASSWORD = TypeAdapter(Annotated[str, Secret(128, 8)])
EMAIL = TypeAdapter(EmailAddress)


@pytest.mark.parametrize("adapter", [ONE_LINE, LINES, PASSWORD], ids=["line", "lines", "password"])
@given(text=st.text(max_size=14))
def test_the_schema_admits_what_the_check_admits(adapter: TypeAdapter[str], text: str) -> None:
    schema = adapter.json_schema()
    pattern = schema["pattern"].removesuffix("$") + r"\Z"  # as ECMA-262 reads it, not Python
    text = unicodedata.normalize("NFC", text)
    is_admitted = (
        schema["minLength"] <= len(text) <= schema["maxLength"]
        and re.search(pattern, text) is not None
    )

    try:
        assert adapter.validate_python(text) == text
    except ValidationError:
        assert not is_admitted
    else:
        assert is_admitted


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("Ada@EXAMPLE.com", "Ada@example.com"),
        ("ada+tag@example.com", "ada+tag@example.com"),
        ("a.d.a@example.com", "a.d.a@example.com"),
        ("ada@b\u00fccher.example", "ada@xn--bcher-kva.example"),
        ("ada@mail.test", "ada@mail.test"),
    ],
)
def test_an_address_keeps_its_local_part_and_has_its_domain_in_lower_case(
    typed: str, kept: str
) -> None:
    assert EMAIL.validate_python(typed) == kept


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
        " ada@example.com",
        "ada@example.com ",
        "ada@example.com\n",
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
def test_what_is_no_address_is_refused(typed: object) -> None:
    with pytest.raises(ValidationError) as caught:
        EMAIL.validate_python(typed)

    assert caught.value.errors()[0]["type"] in ("email_malformed", "string_type")
