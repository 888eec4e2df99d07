from decimal import Decimal
from typing import Annotated

from fastapi import Depends, Query

from wxc.core.currencies import CurrencyCode, currencies
from wxc.core.decimals import PositiveDecimalText, fraction_digits
from wxc.exchange.boards.dependencies import field_error
from wxc.exchange.domain.quotes import ConversionRequest


async def _conversion(
    source: Annotated[
        CurrencyCode,
        Query(alias="from", description="Currency that the customer pays.", examples=["SGD"]),
    ],
    target: Annotated[
        CurrencyCode,
        Query(alias="to", description="Currency that the customer receives.", examples=["JPY"]),
    ],
    amount: Annotated[
        PositiveDecimalText | None, Query(description="Amount of `from` that the customer pays.")
    ] = None,
    to_amount: Annotated[
        PositiveDecimalText | None, Query(description="Amount of `to` that the customer receives.")
    ] = None,
) -> ConversionRequest:
    """Raises `ValidationFailed` unless exactly one amount is given, with valid decimals."""
    if (amount is None) is (to_amount is None):
        message = "Enter either the amount to pay or the amount to receive."
        raise field_error("query.amount", "one_amount", message)
    reject_excess_decimals("query.amount", source, amount)
    reject_excess_decimals("query.to_amount", target, to_amount)
    return ConversionRequest(source, target, amount, to_amount)


def reject_excess_decimals(pointer: str, currency: str, amount: Decimal | None) -> None:
    """Raises `ValidationFailed` for an amount with more decimals than its currency has."""
    if amount is not None and fraction_digits(amount) > currencies()[currency].minor_units:
        raise field_error(pointer, "too_many_decimals", "Too many decimals for this currency.")


RequestedConversion = Annotated[ConversionRequest, Depends(_conversion)]
