from collections.abc import Mapping

from wxc.http.refusals.base import Refusal
from wxc.http.refusals.requests import ValidationFailed
from wxc.http.refusals.resources import Conflict
from wxc.http.refusals.server import InternalError, Retry, Unavailable

_SQLSTATES: Mapping[type[Refusal], tuple[str, ...]] = {
    # Prefixes of SQLSTATEs. For the first ones the database is at fault, not the request.
    Unavailable: ("08", "28", "3D000", "57014", "57P0", "53", "25006", "55P03", "25P03"),
    Retry: ("40001", "40P01"),
    Conflict: ("23505", "23503", "23514", "23P01"),
    ValidationFailed: ("22021", "22P02", "22003"),
}


def refusal_for_sqlstate(sqlstate: str | None) -> type[Refusal]:
    """The refusal for a database error that no service handles."""
    matches = (
        refusal for refusal, prefixes in _SQLSTATES.items() if (sqlstate or "").startswith(prefixes)
    )
    return next(matches, InternalError)
