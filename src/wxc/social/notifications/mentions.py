"""Mentions: `@username` that stands by itself in a text."""

import re
import unicodedata

from wxc.core.text import fold_identifier

MAX_MENTIONS = 20
_HYPHENS = r"\-\u00ad\u058a\u05be\u1400\u1806\u2010\u2011\u2e17\ufe63\uff0d"
# Not another @, and neither a domain as in `@ada.example` nor a server as in `@ada:example.org`.
_MENTION = re.compile(
    rf"(?<![\w@{_HYPHENS}])@([A-Za-z0-9_]{{3,30}})(?![\w@{_HYPHENS}]|\.\w|:[\w-]+\.\w)"
)
# A URL after its scheme, or a domain with a path or query. Each word is tried once, from its start.
_LINK = re.compile(
    r'(?:://|\bmailto:|(?<![\w.-])[\w-]+(?:\.[\w-]+)*\.[^\W\d_][\w-]+(?::\d+)?[/?#])[^\s<>"]*',
    re.IGNORECASE,
)


def mentioned_usernames(body: str) -> list[str]:
    """The first `MAX_MENTIONS` usernames, folded.

    A username inside a link, an e-mail address, a handle of another service or next to a letter,
    digit, hyphen or combining mark of any script is not a mention.
    """
    if "@" not in body:
        return []
    text = _LINK.sub("-", body)  # next to a hyphen nothing is a mention
    usernames = (
        fold_identifier(match[1]) for match in _MENTION.finditer(text) if not _is_marked(match)
    )
    return list(dict.fromkeys(usernames))[:MAX_MENTIONS]


def count_new_mentions(body: str, author: str, old_body: str = "") -> int:
    """How many users other than the author the text mentions and the old text does not."""
    known = {*mentioned_usernames(old_body), fold_identifier(author)}
    return len(set(mentioned_usernames(body)) - known)


def _is_marked(match: re.Match[str]) -> bool:
    """Whether a combining mark is next to the match; `re` has no class for them."""
    start, end = match.span()
    neighbours = match.string[max(start - 1, 0) : start] + match.string[end : end + 1]
    return any(unicodedata.category(character).startswith("M") for character in neighbours)
