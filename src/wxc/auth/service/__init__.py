"""Accounts and sessions: what may happen, and what follows.

Registering and logging in open short transactions of their own: no connection is held while a
password is being hashed.
"""

from wxc.auth.service.accounts import check, register
from wxc.auth.service.sessions import (
    OpenedSession,
    RefreshClaim,
    Visit,
    is_live,
    log_in,
    log_out,
    refresh,
)

__all__ = [
    "OpenedSession",
    "RefreshClaim",
    "Visit",
    "check",
    "is_live",
    "log_in",
    "log_out",
    "refresh",
    "register",
]
