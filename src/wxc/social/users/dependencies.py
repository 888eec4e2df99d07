import re
from typing import Annotated

from fastapi import Depends, Path

from wxc.accounts.auth.schemas import USERNAME_PATTERN
from wxc.core.text import fold_identifier
from wxc.http.openapi import raises
from wxc.social.users.errors import UserNotFound

_USERNAME_PATTERN = re.compile(USERNAME_PATTERN.strip("^$"), re.ASCII)


@raises(UserNotFound)
async def username_in_path(
    username: Annotated[
        str, Path(description="A username; case-insensitive.", examples=["tan_exchange"])
    ],
) -> str:
    """The folded username; a malformed one raises `UserNotFound` (404) instead of a 422."""
    if not _USERNAME_PATTERN.fullmatch(username):
        raise UserNotFound
    return fold_identifier(username)


PathUsername = Annotated[str, Depends(username_in_path)]
