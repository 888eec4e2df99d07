"""Refuses passwords that are easy to guess: common ones, and those derived from the account."""

import re
import threading
from collections.abc import Iterable, Iterator
from functools import cache

from zxcvbn import zxcvbn
from zxcvbn.frequency_lists import FREQUENCY_LISTS

_MIN_SCORE = 2  # of zxcvbn: at least a million guesses
_MAX_SCORED_LENGTH = 32  # code points: up to 50 ms, and quadratic
_MIN_WORD_LENGTH = 3
_MAX_DECORATION = 3  # characters
_SERVICE_WORDS = ("wxc", "social", "wxc social", "wxcsocial")
# One sign for each letter: zxcvbn tries every combination of the signs that occur, in up to 1 s.
_SUBSTITUTES = str.maketrans("@{[<|!+$", "4(((1175")
_DECORATION = re.compile(r"^[\W_]+|[\W_]+$|[-_.]+")
_SEPARATORS = re.compile(r"[\W_]+")
_lock = threading.Lock()  # zxcvbn keeps the words of a call in a global dictionary


def is_guessable(password: str, facts: Iterable[str | None]) -> bool:
    """Whether zxcvbn's score is below 2, with `facts` such as the owner's name as known words.

    Hyphens, punctuation at the ends and capitals around a weak password do not make it strong.
    Takes up to 0.2 s of CPU: not for the event loop.
    """
    if is_common_password(password):
        return True
    words = [word.translate(_SUBSTITUTES) for word in (*_words(facts), *_SERVICE_WORDS)]
    core = _DECORATION.sub("", password).lower()
    texts = {password, core} if len(core) >= len(password) - _MAX_DECORATION else {password}
    return any(_is_weak(text.translate(_SUBSTITUTES), words) for text in texts)


def is_common_password(password: str) -> bool:
    """Whether it is one of zxcvbn's 30,000 most common passwords, ignoring case."""
    return password.lower() in _common_passwords()


@cache
def _common_passwords() -> frozenset[str]:
    return frozenset(FREQUENCY_LISTS["passwords"])


def _words(facts: Iterable[str | None]) -> Iterator[str]:
    """The facts as a whole, without separators, and in parts; both ends of what is too long."""
    known = [fact.lower() for fact in facts if fact]
    parts = [part for fact in known for part in _SEPARATORS.split(fact)]
    for word in (*known, *(_SEPARATORS.sub("", fact) for fact in known), *parts):
        if len(word) >= _MIN_WORD_LENGTH:
            yield from {word[:_MAX_SCORED_LENGTH], word[-_MAX_SCORED_LENGTH:]}


def _is_weak(text: str, words: list[str]) -> bool:
    """Scores both ends of a long text; it is weak only if both are."""
    ends = {text[:_MAX_SCORED_LENGTH], text[-_MAX_SCORED_LENGTH:]}
    return all(_score(end, words) < _MIN_SCORE for end in ends)


def _score(text: str, words: list[str]) -> int:
    with _lock:
        return int(zxcvbn(text, words)["score"])
