"""Parameters of requests about boards."""

from typing import Annotated

from fastapi import Depends, Query

from wxc.core import clock
from wxc.core.times import Moment
from wxc.http.problem_schemas import FieldError
from wxc.http.refusals.requests import ValidationFailed


async def _past(
    as_of: Annotated[
        Moment | None,
        Query(description="Answer with the rates, base and states as they stood then."),
    ] = None,
) -> Moment | None:
    """The time of `as_of`; raises `ValidationFailed` for a time in the future."""
    if as_of is not None and as_of > clock.now():
        raise field_error("query.as_of", "time_in_future", "The time must not be in the future.")
    return as_of


def field_error(pointer: str, code: str, message: str) -> ValidationFailed:
    """The refusal of one field or parameter."""
    return ValidationFailed(errors=[FieldError(pointer=pointer, code=code, message=message)])


AsOf = Annotated[Moment | None, Depends(_past)]
