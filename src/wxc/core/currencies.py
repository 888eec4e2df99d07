"""The currencies that circulate as cash.

ISO 4217 defines the codes and their decimals; CLDR names them, lists which are legal tender
somewhere today, and has their symbols.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Annotated

from babel import Locale
from babel.core import get_global
from babel.numbers import get_currency_name, get_territory_currencies
from iso4217 import Currency as IsoCurrency
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError
from pydantic_core.core_schema import no_info_after_validator_function

from wxc.core import clock

_ENGLISH = Locale("en")
# The narrow symbols of CLDR 48 in English, each before its currencies. Babel leaves them out, and
# the standard symbols of English are mostly codes.
_NARROW_SYMBOLS = """
$ ARS AUD BBD BMD BND BSD BZD CAD CLP COP CUP DOP FJD GYD HKD JMD KYD LRD MXN NAD NZD SBD SGD SRD
TTD TWD USD UYU XCD £ FKP GBP GIP SHP SSP SYP kr DKK ISK NOK SEK Rs LKR MUR NPR PKR ¥ CNY JPY
₩ KPW KRW
؋ AFN ֏ AMD Kz AOA ₼ AZN KM BAM ৳ BDT Bs BOB R$ BRL P BWP ₡ CRC Kč CZK E£ EGP € EUR ₾ GEL GH₵ GHS
FG GNF Q GTQ L HNL Ft HUF Rp IDR ₪ ILS ₹ INR ⃀ KGS ៛ KHR CF KMF ₸ KZT ₭ LAK L£ LBP Ar MGA K MMK ₮
MNT RM MYR ₦ NGN C$ NIO ₱ PHP zł PLN ₲ PYG lei RON ₽ RUB RF RWF Db STN ฿ THB T$ TOP ₺ TRY ₴ UAH ₫
VND FCFA XAF Cg. XCG F\u202fCFA XOF CFPF XPF R ZAR ZK ZMW
"""


@dataclass(frozen=True, slots=True)
class Currency:
    code: str
    name: str
    minor_units: int
    """Decimal places of an amount."""
    symbol: str
    """The narrow symbol, such as `zł`; the code if CLDR has none."""


@cache
def currencies() -> Mapping[str, Currency]:
    """Circulating currencies by code, without metals, funds, test and retired codes."""
    tender, symbols = set(_legal_tender()), dict(_narrow_symbols())
    return MappingProxyType(
        {
            iso.code: Currency(
                iso.code,
                get_currency_name(iso.code, locale=_ENGLISH),
                iso.exponent,
                symbols.get(iso.code, iso.code),
            )
            for iso in sorted(IsoCurrency, key=lambda iso: iso.code)
            if iso.code in tender and iso.exponent is not None
        }
    )


@cache
def all_currency_codes() -> tuple[str, ...]:
    """All codes, including retired ones, which the history of rates may contain."""
    return tuple(sorted(get_global("all_currencies")))


def _narrow_symbols() -> Iterator[tuple[str, str]]:
    symbol = ""
    for word in re.split(r"[ \n]", _NARROW_SYMBOLS.strip()):  # `F CFA` contains another space
        if re.fullmatch(r"[A-Z]{3}", word):
            yield word, symbol
        else:
            symbol = word


def _legal_tender() -> Iterator[str]:
    today = clock.now().date()
    for territory in get_global("territory_currencies"):
        yield from get_territory_currencies(territory, start_date=today, end_date=today)


class _CirculatingCurrency:
    def __get_pydantic_core_schema__(
        self, source: type[str], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        return no_info_after_validator_function(_require_circulating, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(schema) | {"enum": list(currencies())}


def _require_circulating(code: str) -> str:
    if code not in currencies():
        raise PydanticCustomError("currency_unknown", "Must be a currency in circulation.")
    return code


CurrencyCode = Annotated[str, _CirculatingCurrency()]
"""The ISO 4217 code of a circulating currency, in upper case."""
