"""UUIDv7 identifiers: their order is the order of their creation (RFC 9562 section 5.7)."""

import re
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError
from uuid_utils.compat import uuid7

# The one accepted spelling; uuid.UUID itself also takes braces, the urn form and bare hex.
_CANONICAL = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_MILLISECONDS_SHIFT = 80


def new_id() -> UUID:
    """A new identifier, greater than every one that this process has generated before."""
    return uuid7()


def first_id_at(moment: datetime) -> UUID:
    """The smallest identifier whose timestamp is `moment`, truncated to milliseconds."""
    return UUID(int=int(moment.timestamp() * 1000) << _MILLISECONDS_SHIFT)


def time_of(identifier: UUID) -> datetime:
    """The time at which the identifier was generated, in milliseconds."""
    return datetime.fromtimestamp((identifier.int >> _MILLISECONDS_SHIFT) / 1000, UTC)


def _require_canonical(value: object) -> object:
    if isinstance(value, UUID) or (isinstance(value, str) and _CANONICAL.fullmatch(value)):
        return value
    raise PydanticCustomError("uuid_malformed", "The identifier is not a UUID.")


Id = Annotated[UUID, BeforeValidator(_require_canonical)]
"""An identifier from a client; only the canonical spelling is accepted."""
