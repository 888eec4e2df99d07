import hashlib
import hmac


def derive_key(secret: str, purpose: str) -> bytes:
    """A 32-byte key: a signature for one purpose is invalid for all others."""
    return hmac.digest(secret.encode(), f"wxc {purpose}".encode(), hashlib.sha256)


def sign(key: bytes, message: bytes, length: int = 32) -> bytes:
    """HMAC-SHA256 of `message`, its first `length` bytes (RFC 2104 section 5 allows down to 10)."""
    return hmac.digest(key, message, hashlib.sha256)[:length]


def is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature is valid, compared in constant time."""
    return hmac.compare_digest(sign(key, message, len(signature)), signature)
