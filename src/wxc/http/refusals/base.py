"""The base class of all refusals, and the registry of those that exist.

The first paragraph of a refusal's docstring is the sentence that the client reads; the rest says
what to do about it. The page of the code shows both. Details for the log go into the exception's
arguments and never leave the process. The form is RFC 9457.
"""

import math
import re
from typing import ClassVar

from wxc.http.problem_schemas import FieldError


class Refusal(Exception):  # noqa: N818 - a refusal is a fact, not an error
    """The request cannot be granted."""

    status: ClassVar[int] = 400
    public_code: ClassVar[str] = ""
    """The code, if it is not the name of the class."""
    retry_after: int | None = None  # seconds; where it varies, each instance has its own

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
        """The stable snake_case name that clients compare with."""
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
        """What to do about it: the second paragraph of the class, else of its base."""
        texts = (_paragraphs(base)[1] for base in cls.__mro__ if issubclass(base, Refusal))
        return " ".join(next(filter(None, texts), "").split())


def _paragraphs(refusal: type[Refusal]) -> tuple[str, str]:
    """The first paragraph of the docstring, and the rest."""
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
    """Every refusal that can be answered, by its code."""
    by_code = {}
    for refusal in base.__subclasses__():
        by_code[refusal.code()] = refusal
        by_code |= all_refusals(refusal)
    return by_code
