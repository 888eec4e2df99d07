"""The base class of all refusals, which are sent as problems (RFC 9457).

The docstring of a refusal is public: its first paragraph is the `detail` for end users, the second
the help for developers. The documentation page of the code shows both. `reason` is for the log
only.
"""

import math
import re
from typing import ClassVar

from wxc.http.problem_schemas import FieldError


class Refusal(Exception):  # noqa: N818 - not an error of the server
    """The request cannot be granted."""

    status: ClassVar[int] = 400
    public_code: ClassVar[str] = ""
    """Replaces the code that is derived from the class name."""
    retry_after: int | None = None  # seconds; an instance may have its own

    def __init__(
        self,
        reason: str = "",
        *,
        errors: list[FieldError] | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.errors = errors
        if retry_after is not None:
            self.retry_after = retry_after
        self.cookies: list[str] = []
        """`Set-Cookie` values to send with the refusal."""

    @classmethod
    def code(cls) -> str:
        """The stable snake_case identifier of the error."""
        return cls.public_code or re.sub(r"(?<=[a-z])(?=[A-Z])", "_", cls.__name__).lower()

    @classmethod
    def detail(cls, retry_after: int | None = None) -> str:
        """The text for end users; `{wait}` in it becomes `retry_after` (seconds), in words.

        The documentation shows the text with the default of the class.
        """
        text = " ".join(_paragraphs(cls)[0].split())
        return text.replace("{wait}", _duration_text(retry_after or cls.retry_after or 0))

    @classmethod
    def help(cls) -> str:
        """The text for developers: the second paragraph of the class, else of its base."""
        texts = (_paragraphs(base)[1] for base in cls.__mro__ if issubclass(base, Refusal))
        return " ".join(next(filter(None, texts), "").split())


def _paragraphs(refusal: type[Refusal]) -> tuple[str, str]:
    first, _, rest = (refusal.__doc__ or "").partition("\n\n")
    return first, rest


def _duration_text(seconds: int) -> str:
    """The seconds in the largest fitting unit, rounded up: "30 seconds", "5 minutes"."""
    for unit, size, limit in (("second", 1, 60), ("minute", 60, 120), ("hour", 3600, 48)):
        count = math.ceil(seconds / size)
        if count < limit:
            return _plural(count, unit)
    return _plural(math.ceil(seconds / 86_400), "day")


def _plural(count: int, unit: str) -> str:
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def all_refusals(base: type[Refusal] = Refusal) -> dict[str, type[Refusal]]:
    by_code = {}
    for refusal in base.__subclasses__():
        by_code[refusal.code()] = refusal
        by_code |= all_refusals(refusal)
    return by_code
