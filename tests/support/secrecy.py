"""Row 84: no secret in any log, whatever test is running.

Every record of every logger is written out as our own formatter would write it, and searched for
what must not be there: the passwords, cookies and tokens that the running test has sent or been
given, and whatever has the shape of a token, of an e-mail address or of a credential's header.
"""

import json
import logging
import re
from pathlib import Path
from typing import Any

from wxc.core.logging import json_formatter

_SHORTEST = 12  # a shorter secret may be part of an innocent word
_CLIENTS = ("httpx", "httpcore", "urllib3")  # of the tests; they log what they ask for
_SHAPES = (
    # 43 letters of base64 are 256 bits: each of our tokens is that or longer.
    re.compile(r"(?<![\w-])(?=[\w-]*[A-Z])(?=[\w-]*[0-9])[A-Za-z0-9_-]{43,}"),
    re.compile(r"[\w.+-]@[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}", re.I),
    re.compile(r"#token=|set-cookie|\bcookie:|authorization:|wxc_(access|refresh|device)=", re.I),
    re.compile(r"\$argon2"),
)


class Secrecy:
    """Listens to every logger; knows what the running test wants kept."""

    def __init__(self) -> None:
        self._kept: set[str] = set()
        self._formatter = json_formatter()
        self.leaks: list[str] = []

    def keep(self, *secrets: object) -> None:
        """Let no log hold any of these."""
        self._kept |= {one for one in secrets if isinstance(one, str) and len(one) >= _SHORTEST}

    def keep_body(self, body: Any) -> None:
        """Let no log hold a password that this JSON body carries."""
        if isinstance(body, dict):
            self.keep(*(value for name, value in body.items() if "password" in str(name)))

    def hear(self, record: logging.LogRecord) -> None:
        """Look at a record, extras and traceback included."""
        self.read(_spelled(json.loads(self._formatter.format(record))))

    def read(self, text: str) -> None:
        """Look at a text that has been logged."""
        if any(one in text for one in self._kept) or any(one.search(text) for one in _SHAPES):
            self.leaks.append(text)

    def settle(self) -> None:
        """Fail if anything has leaked since the last time; forget what was to be kept."""
        leaks, self.leaks = self.leaks, []
        self._kept.clear()
        assert not leaks, f"a secret has been logged: {leaks[:3]}"


def _spelled(value: Any) -> str:
    """Every string in a JSON value, as it was before it was escaped."""
    match value:
        case dict():
            return "\n".join(_spelled(one) for one in value.values())
        case list():
            return "\n".join(_spelled(one) for one in value)
    return str(value)


secrecy = Secrecy()


def assert_no_secret(log: Path, *secrets: str) -> None:
    """Fail if what another process has logged holds one of these, or what looks like a secret."""
    reader = Secrecy()
    reader.keep(*secrets)
    for line in log.read_text(errors="replace").splitlines():
        reader.read(line)
    reader.settle()


def listen(patch: Any) -> None:
    """Hear what any logger says; whoever configures handlers changes nothing about that."""
    call_handlers = logging.Logger.callHandlers

    def hear(logger: logging.Logger, record: logging.LogRecord) -> None:
        secrecy.hear(record)
        call_handlers(logger, record)

    patch.setattr(logging.Logger, "callHandlers", hear)
    for name in _CLIENTS:
        patch.setattr(logging.getLogger(name), "level", logging.WARNING)
