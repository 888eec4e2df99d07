"""The currencies that people can hold in their hands.

ISO 4217 says which codes there are and how many decimals each has; CLDR says which of them are
legal tender somewhere today, and what people call them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Annotated

from babel import Locale
from babel.core import get_global
from babel.numbers import get_currency_name, get_currency_symbol, get_territory_currencies
from iso4217 import Currency as IsoCurrency
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_after_validator_function

from wxc.core import clock

_ENGLISH = Locale("en")


@dataclass(frozen=True, slots=True)
class Currency:
    """One currency, named in English."""

    code: str
    name: str
    minor_units: int
    """How many decimals its amounts have."""
    symbol: str


@cache
def currencies() -> Mapping[str, Currency]:
    """Every circulating currency by its code: no metals, funds, test or retired codes."""
    tender = set(_legal_tender())
    return MappingProxyType(
        {
            iso.code: Currency(
                iso.code,
                get_currency_name(iso.code, locale=_ENGLISH),
                iso.exponent,
                get_currency_symbol(iso.code, locale=_ENGLISH),
            )
            for iso in sorted(IsoCurrency, key=lambda iso: iso.code)
            if iso.code in tender and iso.exponent is not None
        }
    )


@cache
def codes_of_all_times() -> tuple[str, ...]:
    """Also those that have been retired: what was shown once may be asked for later."""
    return tuple(sorted(get_global("all_currencies")))


def _legal_tender() -> Iterator[str]:
    today = clock.now().date()
    for territory in get_global("territory_currencies"):
        yield from get_territory_currencies(territory, start_date=today, end_date=today)


class _IsCirculating:
    """Refuses what is no code of `currencies`; the JSON schema lists them."""

    def __get_pydantic_core_schema__(
        self, source: type[str], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return no_info_after_validator_function(_circulating, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | {"enum": list(currencies())}


def _circulating(code: str) -> str:
    if code not in currencies():
        raise PydanticCustomError("currency_unknown", "This is no circulating currency.")
    return code


CurrencyCode = Annotated[str, _IsCirculating()]
"""The ISO 4217 code of a circulating currency, in capital letters."""
