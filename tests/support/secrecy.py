"""Row 84: no test logs a secret.

Every record of every logger is formatted as in production and searched for the passwords, cookies
and tokens that the running test has sent or received, and for text that looks like a token, an
e-mail address or a header with credentials.
"""

import json
import logging
import re
from pathlib import Path
from typing import Any

from wxc.core.logging import json_formatter

_MIN_SECRET_LENGTH = 12  # shorter secrets may be part of other words
_CLIENT_LOGGERS = ("httpx", "httpcore", "urllib3")  # used by tests; they log their requests
_SECRET_PATTERNS = (
    # 43 letters of base64 are 256 bits: each of our tokens is that or longer.
    re.compile(r"(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*[0-9])[A-Za-z0-9_-]{43,}"),
    re.compile(r"[\w.+-]@[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}", re.I),
    re.compile(r"#token=|set-cookie|\bcookie:|authorization:|wxc_(access|refresh|device)=", re.I),
    re.compile(r"\$argon2"),
)


class LeakDetector:
    """Searches log records for the secrets of the running test."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._formatter = json_formatter()
        self.leaks: list[str] = []

    def protect(self, *secrets: object) -> None:
        """Report these strings if they are logged."""
        self._secrets |= {
            item for item in secrets if isinstance(item, str) and len(item) >= _MIN_SECRET_LENGTH
        }

    def protect_body(self, body: Any) -> None:
        """Report the passwords of this JSON body if they are logged."""
        if isinstance(body, dict):
            self.protect(*(value for name, value in body.items() if "password" in str(name)))

    def inspect_record(self, record: logging.LogRecord) -> None:
        """Search a record, with extras and traceback."""
        self.inspect(_strings_of(json.loads(self._formatter.format(record))))

    def inspect(self, text: str) -> None:
        """Search a logged text."""
        if any(item in text for item in self._secrets) or any(
            item.search(text) for item in _SECRET_PATTERNS
        ):
            self.leaks.append(text)

    def verify(self) -> None:
        """Fail if a secret has been logged since the last call, and forget the secrets."""
        leaks, self.leaks = self.leaks, []
        self._secrets.clear()
        assert not leaks, f"a secret has been logged: {leaks[:3]}"


def _strings_of(value: Any) -> str:
    """All strings in a JSON value, unescaped."""
    match value:
        case dict():
            return "\n".join(_strings_of(item) for item in value.values())
        case list():
            return "\n".join(_strings_of(item) for item in value)
    return str(value)


secrecy = LeakDetector()


def assert_no_secret(log: Path, *secrets: str) -> None:
    """Fail if the log of another process contains one of these or anything like a secret."""
    reader = LeakDetector()
    reader.protect(*secrets)
    for line in log.read_text(errors="replace").splitlines():
        reader.inspect(line)
    reader.verify()


def install_leak_detector(patch: Any) -> None:
    """Inspect the records of every logger, however its handlers are configured."""
    call_handlers = logging.Logger.callHandlers

    def inspect_record(logger: logging.Logger, record: logging.LogRecord) -> None:
        secrecy.inspect_record(record)
        call_handlers(logger, record)

    patch.setattr(logging.Logger, "callHandlers", inspect_record)
    for name in _CLIENT_LOGGERS:
        patch.setattr(logging.getLogger(name), "level", logging.WARNING)
