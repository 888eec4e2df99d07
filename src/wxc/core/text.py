"""Text as members type it: bounded, normalised to NFC, measured in code points, never blank."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_after_validator_function

MAX_EMAIL_LENGTH = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets
MAX_RAW_RATIO = 4
"""Raw code points that a text may have for each one of its limit: NFC joins a few of them."""
MAX_COMBINING_RUN = 1000

# White space, controls, format characters and the letters that have no shape.
_INVISIBLE = (
    r"\s\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
)
_VISIBLE = re.compile(f"[^{_INVISIBLE}]")
_CONTROLS = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
_CONTROL = re.compile(f"[{_CONTROLS}]")
_WEB_ADDRESS = (
    r"https?://[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
    rf"(:[0-9]{{1,5}})?([/?#][^{_INVISIBLE}\"<>\\^`{{|}}]*)?"
)
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# Every run of combining marks that is worth sorting; it may also match emoji and punctuation.
_LONG_RUN = re.compile(r"[^\w\s\x00-\x7f]{33,}")


@dataclass(frozen=True, slots=True)
class Text:
    """`Annotated[str, Text(50)]`: `min_length` to `max_length` code points in NFC.

    `one_line` refuses control characters. The JSON schema contains all of these rules, so that
    generated clients and tests know the valid texts.
    """

    max_length: int
    min_length: int = 1
    one_line: bool = False

    def normalise(self, value: str) -> str:
        """The text in NFC; raises an error that pydantic turns into a 422."""
        value = _checked_nfc(value, self.max_length)
        if self.one_line and _CONTROL.search(value):
            raise PydanticCustomError("text_control", "The text must be one line.")
        if not _VISIBLE.search(value):
            raise PydanticCustomError("text_blank", "The text must not be blank.")
        return _require_length(value, self.min_length, self.max_length)

    def __get_pydantic_core_schema__(
        self, source: type[str], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return no_info_after_validator_function(self.normalise, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        excluded = _CONTROLS if self.one_line else r"\u0000"
        return handler(schema) | {
            "minLength": self.min_length,
            "maxLength": self.max_length,
            "pattern": f"^[^{excluded}]*[^{_INVISIBLE}][^{excluded}]*$",
        }


@dataclass(frozen=True, slots=True)
class Secret:
    """`Annotated[str, Secret(128)]`: a password, in NFC and otherwise exactly as it was typed."""

    max_length: int
    min_length: int = 1

    def normalise(self, value: str) -> str:
        """The password in NFC (NIST SP 800-63B section 3.1.1.2); nothing is trimmed."""
        return _require_length(
            _checked_nfc(value, self.max_length), self.min_length, self.max_length
        )

    def __get_pydantic_core_schema__(
        self, source: type[str], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return no_info_after_validator_function(self.normalise, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | {
            "format": "password",
            "minLength": self.min_length,
            "maxLength": self.max_length,
            "pattern": r"^[^\u0000]*$",
        }


@dataclass(frozen=True, slots=True)
class WebAddress:
    """`Annotated[str, WebAddress(2000)]`: an http or https URL, stored as it was typed.

    The host is in ASCII, as browsers copy it; it has no user information (RFC 3986 section 3.2.1).
    The server never fetches it.
    """

    max_length: int

    def normalise(self, value: str) -> str:
        """The address in NFC; raises an error that pydantic turns into a 422."""
        value = Text(self.max_length, one_line=True).normalise(value)
        if not re.fullmatch(_WEB_ADDRESS, value):
            raise PydanticCustomError("url_malformed", "This is no plain http or https address.")
        return value

    def __get_pydantic_core_schema__(
        self, source: type[str], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return no_info_after_validator_function(self.normalise, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | {"maxLength": self.max_length, "pattern": f"^{_WEB_ADDRESS}$"}


def nfc(value: str) -> str:
    """The text in NFC, in nearly linear time.

    Some CPython releases sort a run of combining marks in quadratic time (gh-149079): 20,000 code
    points in runs of 1,000 took 40 ms. Marks that are in canonical order already cost one pass.
    """
    if value.isascii():
        return value
    return unicodedata.normalize("NFC", _LONG_RUN.sub(_in_canonical_order, value))


def fold_identifier(identifier: str) -> str:
    """The one form of a username or an e-mail address: stored, looked up, limited and audited.

    Lower case by Unicode's rules, in NFC. PostgreSQL's `lower()` follows the database's locale, so
    both sides of a comparison are folded here and never in SQL.
    """
    return nfc(nfc(identifier).lower())


def _in_canonical_order(run: re.Match[str]) -> str:
    """The marks sorted stably by combining class between two starters (Unicode, section 3.11)."""
    marks = "".join(unicodedata.normalize("NFD", character) for character in run[0])
    return "".join(
        "".join(sorted(part, key=unicodedata.combining)) for _, part in groupby(marks, _is_mark)
    )


def _checked_nfc(value: str, max_length: int) -> str:
    """The text in NFC; refuses a text that is too expensive to normalise."""
    if len(value) > max_length * MAX_RAW_RATIO:
        raise _too_long(max_length)
    if "\0" in value:
        raise PydanticCustomError("text_nul", "The text contains a NUL character.")
    if _SURROGATE.search(value):  # JSON can spell what UTF-8 cannot
        raise PydanticCustomError("text_surrogate", "The text contains half a character.")
    for run in _LONG_RUN.findall(value):
        if any(_is_longer_than(part, MAX_COMBINING_RUN) for part in _runs_of_marks(run)):
            raise PydanticCustomError(
                "text_combining_marks",
                "The text has more than {most} combining marks in a row.",
                {"most": MAX_COMBINING_RUN},
            )
    return nfc(value)


def _runs_of_marks(text: str) -> Iterator[Iterator[str]]:
    return (run for is_mark, run in groupby(text, _is_mark) if is_mark)


def _is_longer_than(run: Iterator[str], length: int) -> bool:
    return next(islice(run, length, None), None) is not None


def _is_mark(character: str) -> bool:
    """Whether normalisation may move it: three marks of class 0 decompose into others (U+0F73)."""
    return unicodedata.combining(unicodedata.normalize("NFD", character)[0]) != 0


def _too_long(length: int) -> PydanticCustomError:
    return PydanticCustomError(
        "text_too_long", "The text must have at most {length} characters.", {"length": length}
    )


def _require_length(value: str, min_length: int, max_length: int) -> str:
    if len(value) < min_length:
        raise PydanticCustomError(
            "text_too_short",
            "The text must have at least {least} characters.",
            {"least": min_length},
        )
    if len(value) > max_length:
        raise _too_long(max_length)
    return value


def _normalise_if_text(value: object) -> object:
    return normalise_email(value) if isinstance(value, str) else value


def normalise_email(value: str) -> str:
    """The address with its domain in lower case and IDNA; the local part is kept as typed.

    Raises an error that pydantic turns into a 422.
    """
    malformed = PydanticCustomError("email_malformed", "This is not an e-mail address.")
    if len(value) > MAX_EMAIL_LENGTH:
        raise malformed
    try:
        # As in a test environment: the reserved domain .test passes, .local and .onion do not.
        address = validate_email(value, check_deliverability=False, test_environment=True)
    except (EmailNotValidError, UnicodeError):
        raise malformed from None
    normalised = f"{address.local_part}@{address.ascii_domain}"
    if len(normalised) > MAX_EMAIL_LENGTH:
        raise malformed
    return normalised


EmailAddress = Annotated[
    str,
    BeforeValidator(_normalise_if_text),
    Field(json_schema_extra={"format": "email", "maxLength": MAX_EMAIL_LENGTH}),
]
"""An e-mail address of at most 254 characters, its domain lower-cased and in IDNA."""
