"""User input: bounded, normalised to NFC, measured in code points, never blank."""

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
"""Maximum raw code points per code point of the limit: NFC composes several into one."""
MAX_COMBINING_RUN = 1000

# White space, control characters, everything with Default_Ignorable_Code_Point (Unicode 17,
# unassigned code points included), noncharacters, and other characters without a glyph. Beyond the
# first plane as characters: JavaScript and Python escape them differently.
_INVISIBLE = (
    r"\s\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f"
    r"\u200b-\u200f\u2028-\u202e\u2060-\u206f\u2800\u3164\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0"
    r"\ufff0-\ufffb\ufffe\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    + "".join(
        chr(plane | 0xFFFE) + chr(plane | 0xFFFF) for plane in range(1 << 16, 17 << 16, 1 << 16)
    )
)
_VISIBLE = re.compile(f"[^{_INVISIBLE}]")
_CONTROLS = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
# One line, and embeddings and overrides of direction, which reorder the text around a name.
_NOT_IN_NAMES = rf"{_CONTROLS}\u202a-\u202e"
_NOT_IN_NAME = re.compile(f"[{_NOT_IN_NAMES}]")
_ISOLATE = re.compile("[\u2066-\u2069]")
_END_OF_ISOLATE = "\u2069"
# Unicode Technical Standard #51, annex C: the black flag, the tags of a region, the end of tags.
_SUBDIVISION_FLAG = re.compile(
    "\U0001f3f4[\U000e0030-\U000e0039\U000e0061-\U000e007a]{3,6}\U000e007f"
)
_TAG = re.compile("[\U000e0000-\U000e007f]")
_WEB_ADDRESS = (
    r"https?://[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
    rf"(:[0-9]{{1,5}})?([/?#][^{_INVISIBLE}\"<>\\^`{{|}}]*)?"
)
_SURROGATE = re.compile(r"[\ud800-\udfff]")
# Runs of combining marks that are worth sorting; also matches emoji and punctuation.
_LONG_RUN = re.compile(r"[^\w\s\x00-\x7f]{33,}")


@dataclass(frozen=True, slots=True)
class Text:
    """`Annotated[str, Text(50)]`: `min_length` to `max_length` code points in NFC.

    `one_line` refuses control characters, and what would distort the text around a name. The JSON
    schema contains all of these rules but those of isolates and tags, which no pattern expresses.
    """

    max_length: int
    min_length: int = 1
    one_line: bool = False

    def normalise(self, value: str) -> str:
        """Return the text in NFC; raises `PydanticCustomError`."""
        value = _checked_nfc(value, self.max_length)
        if self.one_line:
            _require_name(value)
        if not _VISIBLE.search(value):
            raise PydanticCustomError("text_blank", "Must not be blank.")
        return _require_length(value, self.min_length, self.max_length)

    def __get_pydantic_core_schema__(
        self, source: type[str], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return no_info_after_validator_function(self.normalise, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        excluded = _NOT_IN_NAMES if self.one_line else r"\u0000"
        return handler(schema) | {
            "minLength": self.min_length,
            "maxLength": self.max_length,
            "pattern": f"^[^{excluded}]*[^{_INVISIBLE}][^{excluded}]*$",
        }


@dataclass(frozen=True, slots=True)
class Secret:
    """`Annotated[str, Secret(128)]`: a password in NFC (NIST SP 800-63B section 3.1.1.2)."""

    max_length: int
    min_length: int = 1

    def normalise(self, value: str) -> str:
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
    """`Annotated[str, WebAddress(2000)]`: an http or https URL, stored as typed, never fetched.

    The host must be ASCII, as browsers copy it, without user information (RFC 3986 section 3.2.1).
    """

    max_length: int

    def normalise(self, value: str) -> str:
        """Return the URL in NFC; raises `PydanticCustomError`."""
        value = Text(self.max_length, one_line=True).normalise(value)
        if not re.fullmatch(_WEB_ADDRESS, value):
            raise PydanticCustomError(
                "url_malformed", "Must be a web address, such as https://example.com/page."
            )
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
    points in runs of 1,000 took 40 ms. Sorted marks cost it one pass, so they are sorted first.
    """
    if value.isascii():
        return value
    return unicodedata.normalize("NFC", _LONG_RUN.sub(_in_canonical_order, value))


def fold_identifier(identifier: str) -> str:
    """The canonical form of a username or e-mail address: to store, look up, limit and audit.

    Without white space at both ends, in lower case by Unicode's rules, in NFC. PostgreSQL's
    `lower()` depends on the database's locale, so both sides of a comparison are folded here and
    never in SQL.
    """
    return nfc(nfc(identifier.strip()).lower())


def trim_identifier(value: object) -> object:
    """Strip white space around a username or e-mail address, unless it is far too long for one."""
    if isinstance(value, str) and len(value) <= MAX_EMAIL_LENGTH * MAX_RAW_RATIO:
        return value.strip()
    return value


def _in_canonical_order(run: re.Match[str]) -> str:
    """Sort the marks between two starters stably by combining class (Unicode, section 3.11)."""
    marks = "".join(unicodedata.normalize("NFD", character) for character in run[0])
    return "".join(
        "".join(sorted(part, key=unicodedata.combining)) for _, part in groupby(marks, _is_mark)
    )


def _checked_nfc(value: str, max_length: int) -> str:
    """The text in NFC; refuses a text that is too expensive to normalise."""
    if len(value) > max_length * MAX_RAW_RATIO:
        raise _too_long(max_length)
    if "\0" in value:
        raise PydanticCustomError("text_nul", "Contains an invalid character.")
    if _SURROGATE.search(value):  # JSON can escape it, UTF-8 cannot encode it
        raise PydanticCustomError("text_surrogate", "Contains an invalid character.")
    for run in _LONG_RUN.findall(value):
        if any(_is_longer_than(part, MAX_COMBINING_RUN) for part in _runs_of_marks(run)):
            raise PydanticCustomError(
                "text_combining_marks",
                "Must have at most {most} accents in a row.",
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


def _require_name(value: str) -> None:
    """Refuse line breaks, hidden tags, and directions that do not end with the text."""
    if found := _NOT_IN_NAME.search(value):
        if found[0] in "\u202a\u202b\u202c\u202d\u202e":
            raise PydanticCustomError("text_direction", "Must not change the direction of text.")
        raise PydanticCustomError("text_control", "Must be a single line.")
    open_isolates = 0
    for mark in _ISOLATE.findall(value):
        open_isolates = max(open_isolates - 1, 0) if mark == _END_OF_ISOLATE else open_isolates + 1
    if open_isolates:
        raise PydanticCustomError("text_direction", "Must not change the direction of text.")
    if _TAG.search(_SUBDIVISION_FLAG.sub("", value)):
        raise PydanticCustomError("text_tags", "Contains an invalid character.")


def _too_long(length: int) -> PydanticCustomError:
    return PydanticCustomError(
        "text_too_long", "Must be at most {length} characters long.", {"length": length}
    )


def _require_length(value: str, min_length: int, max_length: int) -> str:
    if len(value) < min_length:
        raise PydanticCustomError(
            "text_too_short",
            "Must be at least {least} characters long.",
            {"least": min_length},
        )
    if len(value) > max_length:
        raise _too_long(max_length)
    return value


def _normalise_if_text(value: object) -> object:
    trimmed = trim_identifier(value)
    return normalise_email(trimmed) if isinstance(trimmed, str) else value


def normalise_email(value: str) -> str:
    """Lower-case and IDNA-encode the domain, not the local part; raises `PydanticCustomError`."""
    malformed = PydanticCustomError("email_malformed", "Must be a valid e-mail address.")
    if len(value) > MAX_EMAIL_LENGTH:
        raise malformed
    try:
        # test_environment accepts the reserved domain .test, but not .local or .onion.
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
"""At most 254 characters, the domain lower-cased and in IDNA."""
