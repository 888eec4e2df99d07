"""Text as members type it: normalised to NFC, measured in code points, never blank."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Annotated

from email_validator import EmailNotValidError, validate_email
from pydantic import BeforeValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_after_validator_function

EMAIL_LENGTH = 254  # RFC 5321 section 4.5.3.1.3, less the angle brackets

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


@dataclass(frozen=True, slots=True)
class Text:
    """`Annotated[str, Text(50)]`: `least` to `length` code points in NFC; `one_line` bars controls.

    The JSON schema says all of it, so that generated clients and tests know what passes.
    """

    length: int
    least: int = 1
    one_line: bool = False

    def normalise(self, value: str) -> str:
        """The text in NFC; raises what pydantic turns into a 422."""
        _refuse_unstorable(value)
        value = unicodedata.normalize("NFC", value)
        if self.one_line and _CONTROL.search(value):
            raise PydanticCustomError("text_control", "The text must be one line.")
        if not _VISIBLE.search(value):
            raise PydanticCustomError("text_blank", "The text must not be blank.")
        return _measured(value, self.least, self.length)

    def __get_pydantic_core_schema__(
        self, source: type[str], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return no_info_after_validator_function(self.normalise, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        barred = _CONTROLS if self.one_line else r"\u0000"
        return handler(schema) | {
            "minLength": self.least,
            "maxLength": self.length,
            "pattern": f"^[^{barred}]*[^{_INVISIBLE}][^{barred}]*$",
        }


@dataclass(frozen=True, slots=True)
class Secret:
    """`Annotated[str, Secret(128)]`: a password, in NFC and otherwise exactly as it was typed."""

    length: int
    least: int = 1

    def normalise(self, value: str) -> str:
        """The password in NFC (NIST SP 800-63B section 3.1.1.2); nothing is trimmed."""
        _refuse_unstorable(value)
        return _measured(unicodedata.normalize("NFC", value), self.least, self.length)

    def __get_pydantic_core_schema__(
        self, source: type[str], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return no_info_after_validator_function(self.normalise, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | {
            "format": "password",
            "minLength": self.least,
            "maxLength": self.length,
            "pattern": r"^[^\u0000]*$",
        }


@dataclass(frozen=True, slots=True)
class WebAddress:
    """`Annotated[str, WebAddress(2000)]`: an address with http or https, stored as it was typed.

    The host is in ASCII, as browsers copy it; nobody's name or password is in it (RFC 3986
    section 3.2.1). Nothing here ever fetches it.
    """

    length: int

    def normalise(self, value: str) -> str:
        """The address in NFC; raises what pydantic turns into a 422."""
        value = Text(self.length, one_line=True).normalise(value)
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
        return handler(schema) | {"maxLength": self.length, "pattern": f"^{_WEB_ADDRESS}$"}


def _refuse_unstorable(value: str) -> None:
    if "\0" in value:
        raise PydanticCustomError("text_nul", "The text contains a NUL character.")
    if _SURROGATE.search(value):  # JSON can spell what UTF-8 cannot
        raise PydanticCustomError("text_surrogate", "The text contains half a character.")


def _measured(value: str, least: int, length: int) -> str:
    if len(value) < least:
        raise PydanticCustomError(
            "text_too_short", "The text must have at least {least} characters.", {"least": least}
        )
    if len(value) > length:
        raise PydanticCustomError(
            "text_too_long", "The text must have at most {length} characters.", {"length": length}
        )
    return value


def _email(value: object) -> object:
    return normalise_email(value) if isinstance(value, str) else value


def normalise_email(value: str) -> str:
    """The address with its domain in lower case and IDNA; the local part is kept as typed.

    Raises what pydantic turns into a 422.
    """
    malformed = PydanticCustomError("email_malformed", "This is not an e-mail address.")
    if len(value) > EMAIL_LENGTH:
        raise malformed
    try:
        # As in a test environment: the reserved domain .test passes, .local and .onion do not.
        address = validate_email(value, check_deliverability=False, test_environment=True)
    except (EmailNotValidError, UnicodeError):
        raise malformed from None
    normalised = f"{address.local_part}@{address.ascii_domain}"
    if len(normalised) > EMAIL_LENGTH:
        raise malformed
    return normalised


EmailAddress = Annotated[
    str,
    BeforeValidator(_email),
    Field(json_schema_extra={"format": "email", "maxLength": EMAIL_LENGTH}),
]
"""An e-mail address of at most 254 characters, its domain lower-cased and in IDNA."""
