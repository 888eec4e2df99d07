from wxc.core.text import fold_identifier

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


def is_reserved(username: str) -> bool:
    return fold_identifier(username) in RESERVED
