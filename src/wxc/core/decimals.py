"""Decimals as JSON strings, which keep all digits, in requests and responses.

JSON numbers are refused: a parser may have rounded them to binary floats.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

MAX_INTEGER_DIGITS = 12
MAX_FRACTION_DIGITS = 10
PATTERN = rf"^(0|[1-9][0-9]{{0,{MAX_INTEGER_DIGITS - 1}}})(\.[0-9]{{1,{MAX_FRACTION_DIGITS}}})?$"
_FORM = re.compile(PATTERN.strip("^$"), re.ASCII)
_MAX_LENGTH = MAX_INTEGER_DIGITS + 1 + MAX_FRACTION_DIGITS
_SCHEMA: JsonSchemaValue = {"type": "string", "pattern": PATTERN, "maxLength": _MAX_LENGTH}


@dataclass(frozen=True, slots=True)
class _DecimalText:
    """Accepts strings that match `PATTERN`; `is_positive` also refuses zero."""

    is_positive: bool

    def parse(self, value: object) -> Decimal:
        """Parse a string without losing digits; return a `Decimal` unchanged."""
        if isinstance(value, Decimal):
            return value
        if not isinstance(value, str):
            raise PydanticCustomError("string_type", "Must be a string.")
        if not _FORM.fullmatch(value):
            raise PydanticCustomError(
                "decimal_malformed",
                "Must be a number with at most 12 digits before and 10 after the decimal point.",
            )
        number = Decimal(value)
        if self.is_positive and not number:
            raise PydanticCustomError("decimal_zero", "Must be greater than zero.")
        return number

    def __get_pydantic_core_schema__(
        self, _source: type[Decimal], _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(
                decimal_text, return_schema=core_schema.str_schema(), when_used="json"
            ),
        )

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return _SCHEMA


def decimal_text(number: Decimal) -> str:
    """Format without an exponent, with all digits."""
    return f"{number:f}"


def decimal_text_or_none(number: Decimal | None) -> str | None:
    return None if number is None else decimal_text(number)


def fraction_digits(number: Decimal) -> int:
    return len(decimal_text(number).partition(".")[2])


DecimalText = Annotated[Decimal, _DecimalText(is_positive=False)]
"""A non-negative decimal as a string: `"0.50"` stays `"0.50"`."""
PositiveDecimalText = Annotated[Decimal, _DecimalText(is_positive=True)]
"""As `DecimalText`, but greater than zero."""
DecimalString = Annotated[str, WithJsonSchema(_SCHEMA)]
"""A decimal in a response, as formatted by `decimal_text` or PostgreSQL's `numeric::text`.

Converting hundreds of them to `Decimal` and back costs as much as the rest of the page."""
RatioString = Annotated[str, WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"})]
"""A quotient of any size in a response."""
