from typing import Annotated

from fastapi import Depends, Query

from wxc.core import clock
from wxc.core.times import Moment
from wxc.http.problem_schemas import FieldError
from wxc.http.refusals.requests import ValidationFailed


async def _past(
    as_of: Annotated[
        Moment | None,
        Query(description="Return the rates, base currency and states as of this time."),
    ] = None,
) -> Moment | None:
    """Raises `ValidationFailed` for a time in the future."""
    if as_of is not None and as_of > clock.now():
        raise field_error("query.as_of", "time_in_future", "The time must not be in the future.")
    return as_of


def field_error(pointer: str, code: str, message: str) -> ValidationFailed:
    return ValidationFailed(errors=[FieldError(pointer=pointer, code=code, message=message)])


AsOf = Annotated[Moment | None, Depends(_past)]
