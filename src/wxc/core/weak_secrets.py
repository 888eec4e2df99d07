from ipaddress import ip_address
from urllib.parse import urlsplit

_MIN_SECRET_LENGTH = 32  # bytes; RFC 7518 section 3.2 requires the hash's length
_MIN_DISTINCT_CHARACTERS = 10
_PLACEHOLDERS = ("change-me", "changeme", "secret", "example")
_PLACEHOLDER_PASSWORDS = ("change-me", "changeme")  # a real password may contain "secret"


def is_loopback(host: str | None) -> bool:
    """Whether only this machine can reach `host`; False for None and names except localhost."""
    address = (host or "").strip("[]")
    if address.casefold() == "localhost":
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def require_strong_secret(name: str, secret: str) -> None:
    """Raise ValueError if `secret` is short, repetitive or a placeholder."""
    is_short = len(secret.encode()) < _MIN_SECRET_LENGTH
    if is_short or len(set(secret)) < _MIN_DISTINCT_CHARACTERS:
        raise ValueError(f"{name.upper()} must be {_MIN_SECRET_LENGTH} random bytes or more")
    if any(word in secret.lower() for word in _PLACEHOLDERS):
        raise ValueError(f"{name.upper()} is still a placeholder")


def require_own_password(name: str, url: str) -> None:
    """Raise ValueError if the password in `url` is a placeholder."""
    password = (urlsplit(url).password or "").lower()
    if any(word in password for word in _PLACEHOLDER_PASSWORDS):
        raise ValueError(f"{name.upper()} has a placeholder as its password")
