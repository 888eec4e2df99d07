"""Parameters of a conversion."""

from decimal import Decimal
from typing import Annotated

from fastapi import Depends, Query

from wxc.core.currencies import CurrencyCode, currencies
from wxc.core.decimals import PositiveDecimalText, fraction_digits
from wxc.exchange.boards.dependencies import field_error
from wxc.exchange.domain.quotes import ConversionRequest


async def _conversion(
    source: Annotated[
        CurrencyCode, Query(alias="from", description="What is paid.", examples=["SGD"])
    ],
    target: Annotated[
        CurrencyCode, Query(alias="to", description="What is received.", examples=["JPY"])
    ],
    amount: Annotated[
        PositiveDecimalText | None, Query(description="How much of `from` is paid.")
    ] = None,
    to_amount: Annotated[
        PositiveDecimalText | None, Query(description="How much of `to` is wanted.")
    ] = None,
) -> ConversionRequest:
    """The requested conversion; raises `ValidationFailed` unless exactly one amount is given."""
    if (amount is None) is (to_amount is None):
        raise field_error("query.amount", "one_amount", "Give either amount or to_amount.")
    reject_excess_decimals("query.amount", source, amount)
    reject_excess_decimals("query.to_amount", target, to_amount)
    return ConversionRequest(source, target, amount, to_amount)


def reject_excess_decimals(pointer: str, currency: str, amount: Decimal | None) -> None:
    """Raises `ValidationFailed` for an amount with more decimals than its currency has."""
    if amount is not None and fraction_digits(amount) > currencies()[currency].minor_units:
        raise field_error(
            pointer, "too_many_decimals", "The currency does not have that many decimals."
        )


RequestedConversion = Annotated[ConversionRequest, Depends(_conversion)]
