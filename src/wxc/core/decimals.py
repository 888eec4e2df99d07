"""Decimals as people write them: strings in JSON, both ways, with their digits kept.

No binary float comes near: a JSON number is refused, since whoever reads it might have rounded it.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated

from pydantic import (
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

DIGITS_BEFORE_POINT = 12
DIGITS_AFTER_POINT = 10
PATTERN = rf"^(0|[1-9][0-9]{{0,{DIGITS_BEFORE_POINT - 1}}})(\.[0-9]{{1,{DIGITS_AFTER_POINT}}})?$"
_FORM = re.compile(PATTERN.strip("^$"), re.ASCII)
_LONGEST = DIGITS_BEFORE_POINT + 1 + DIGITS_AFTER_POINT
_SCHEMA: JsonSchemaValue = {"type": "string", "pattern": PATTERN, "maxLength": _LONGEST}


@dataclass(frozen=True, slots=True)
class _DecimalText:
    """A string of that pattern; `is_positive` also refuses zero."""

    is_positive: bool

    def parse(self, value: object) -> Decimal:
        """The number, which remembers how many digits were written; ours are taken as they are."""
        if isinstance(value, Decimal):
            return value
        if not isinstance(value, str):
            raise PydanticCustomError("string_type", "The number must be a string.")
        if not _FORM.fullmatch(value):
            raise PydanticCustomError(
                "decimal_malformed",
                "This is no decimal of at most 12 digits before and 10 after the point.",
            )
        number = Decimal(value)
        if self.is_positive and not number:
            raise PydanticCustomError("decimal_zero", "The number must be greater than zero.")
        return number

    def __get_pydantic_core_schema__(
        self, _source: type[Decimal], _handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            self.parse,
            serialization=core_schema.plain_serializer_function_ser_schema(
                plain, return_schema=core_schema.str_schema(), when_used="json"
            ),
        )

    def __get_pydantic_json_schema__(
        self, _schema: CoreSchema, _handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return _SCHEMA


def plain(number: Decimal) -> str:
    """The number without an exponent, with all the digits it was written with."""
    return f"{number:f}"


def plain_or_null(number: Decimal | None) -> str | None:
    """As `plain`, of a number that may be missing."""
    return None if number is None else plain(number)


def decimals_of(number: Decimal) -> int:
    """How many digits were written after the point."""
    return len(plain(number).partition(".")[2])


DecimalText = Annotated[Decimal, _DecimalText(is_positive=False)]
"""A decimal that is not negative, as a string: `"0.50"` stays `"0.50"`."""
PositiveDecimalText = Annotated[Decimal, _DecimalText(is_positive=True)]
"""The same, and not zero."""
WrittenDecimal = Annotated[str, WithJsonSchema(_SCHEMA)]
"""A decimal of an answer, written by `plain` or by PostgreSQL's `numeric::text`: where there are
hundreds on a page, making numbers of texts and texts of numbers costs as much as the rest of it."""
WrittenRatio = Annotated[str, WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?$"})]
"""A quotient of any size, written by `plain`."""
