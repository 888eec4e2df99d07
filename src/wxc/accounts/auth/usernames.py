import re

from wxc.core.text import fold_identifier

# These pretend to speak for the service wherever they stand in a name.
_STAFF = """
    admin administrator mod moderator operator postmaster root security staff support system
    webmaster wxc
"""
_ROLES = """
    about account accounts admin administrator all anonymous api app blog contact dev everyone
    guest help home info legal mail me mod moderator news nobody null operator owner postmaster
    privacy public root security self staff status support system team terms test undefined
    unknown user webmaster welcome www wxc
"""
_ROUTES = """
    auth-check comments csrf-token currencies docs exchange exchanges feed feeds healthz livez
    login logout metrics notifications openapi posts readyz refresh-token register reports
    request-email-verification request-password-reset reset-password sessions settings users
    verify-email
"""
RESERVED = frozenset(f"{_ROLES} {_ROUTES}".split())
_STAFF_NAMES = frozenset(_STAFF.split())
_SEPARATORS = re.compile("[_0-9]+")


def is_reserved(username: str) -> bool:
    """Whether it names the service's staff or, between underscores and digits, is reserved."""
    words = [word for word in _SEPARATORS.split(fold_identifier(username)) if word]
    return bool(words) and (not _STAFF_NAMES.isdisjoint(words) or RESERVED.issuperset(words))
