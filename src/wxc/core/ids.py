"""UUIDv7 identifiers: their order is the order of their creation (RFC 9562 section 5.7)."""

import re
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import BeforeValidator
from pydantic_core import PydanticCustomError
from uuid_utils.compat import uuid7

# uuid.UUID also accepts braces, the URN form and hex digits without hyphens.
_CANONICAL = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_MILLISECONDS_SHIFT = 80


def new_id() -> UUID:
    """A new id, greater than all ids that this process has generated before."""
    return uuid7()


def first_id_at(moment: datetime) -> UUID:
    """The smallest id whose timestamp is `moment`, truncated to milliseconds."""
    return UUID(int=int(moment.timestamp() * 1000) << _MILLISECONDS_SHIFT)


def time_of(identifier: UUID) -> datetime:
    """When the id was generated, truncated to milliseconds."""
    return datetime.fromtimestamp((identifier.int >> _MILLISECONDS_SHIFT) / 1000, UTC)


def _require_canonical(value: object) -> object:
    if isinstance(value, UUID) or (isinstance(value, str) and _CANONICAL.fullmatch(value)):
        return value
    raise PydanticCustomError("uuid_malformed", "Must be a UUID.")


Id = Annotated[UUID, BeforeValidator(_require_canonical)]
"""An id from a client, in the canonical form."""
