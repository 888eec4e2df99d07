"""Search for users by prefix and by similarity, without accents and case.

The function `search_fold` of the database folds both the display names, in a column that a trigger
writes, and the text; usernames are ASCII.

Prefix matches are read in the order of an index, so the cost of a page does not depend on their
number. Similar names are read only after them.
"""

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    REAL,
    ColumnElement,
    Integer,
    Text,
    and_,
    cast,
    func,
    literal,
    not_,
    or_,
    select,
    union_all,
)

from wxc.db.keyset import AnySelect, PageRequest, Rank
from wxc.db.prepared import bind, prepared
from wxc.models import User
from wxc.social.users.repository import summary_columns
from wxc.social.users.visibility import visible_to

_LAST_CODE_POINT = chr(0x10FFFF)  # sorts last and is not a character
_MAX_PREFIX_LENGTH = 30
_MAX_COMPARED_NAMES = 5000
"""The number of similar names to rank; if there are more, the index determines which."""
_TRIGRAMS_OF_TWO_LETTERS = 3  # too few to compare names
_username, _display_name = func.lower(User.username), User.display_name_folded
# As in the prefix indexes: collation C compares code points.
_username_prefix, _display_name_prefix = (
    func.left(name.collate("C"), _MAX_PREFIX_LENGTH) for name in (_username, _display_name)
)


class UserMatch(NamedTuple):
    id: UUID
    username: str
    display_name: str | None
    avatar_url: str | None
    distance: float
    """1 - similarity to the text; 0 if the name starts with the text."""
    name: str
    """The sort key of matches whose name starts with the text."""
    kind: int
    """The index of the kind of match in `_MATCH_KINDS`."""


@prepared(UserMatch)
def users_matching(
    text: Annotated[str, Text()],
    viewer_id: UUID | None,
    distance: Annotated[float | None, REAL()],
    name: Annotated[str | None, Text()],
    *,
    page: PageRequest,
    kind: int | None,
) -> AnySelect:
    """Up to `limit + 1` users after this kind, distance and name, which are None on page one."""
    # A text of nothing but accents would become empty, and match every name.
    folded = func.nullif(func.search_fold(bind(text), type_=Text()), "", type_=Text())
    folded_text = func.coalesce(folded, bind(text))
    position: dict[str, ColumnElement[Any]] = {"distance": bind(distance), "name": bind(name)}
    kinds: list[AnySelect] = []
    for number, (find, sort_column) in enumerate(_MATCH_KINDS):
        found = find(folded_text).where(visible_to(viewer_id)).subquery()
        rank = Rank(found.c[sort_column], position[sort_column])
        # The page starts within one kind; the kinds after it are read from their start.
        read = page.window if number == kind else page.order_and_limit
        users = read(select(found), found.c.id, rank).subquery()
        if kind is None or number == kind or (number > kind) is page.ascends:
            kinds.append(select(users, literal(number, Integer()).label("kind")))
    # Without ORDER BY the kinds are read one after another until the limit is reached.
    matches = union_all(*(kinds if page.ascends else kinds[::-1])).subquery("matches")
    return select(matches).limit(page.limit + 1)


def _by_username(text: ColumnElement[str]) -> AnySelect:
    """Users whose username starts with the text."""
    return _select_users(_username_prefix).where(
        _starts_with(_username_prefix, text),
        func.starts_with(_username, text),
    )


def _by_display_name(text: ColumnElement[str]) -> AnySelect:
    """Other users whose display name starts with the text."""
    return _select_users(_display_name_prefix).where(
        _starts_with(_display_name_prefix, text),
        func.starts_with(_display_name, text),
        not_(func.starts_with(_username, text)),
    )


def _by_similarity(text: ColumnElement[str]) -> AnySelect:
    """Other users with a name, or words in it, that shares trigrams with the text."""
    # A subquery hides the text: if the planner saw that many names resemble it, it would scan
    # the whole table.
    hidden_text = select(text).scalar_subquery()
    names = (_username, _display_name)
    similarity = func.greatest(
        *(func.similarity(name, hidden_text) for name in names),
        *(func.word_similarity(hidden_text, name) for name in names),
        type_=REAL,
    )
    is_prefix = func.coalesce(func.starts_with(_display_name, hidden_text), False)
    similar = _select_users(literal("", Text()), cast(1, REAL) - similarity)
    return similar.where(
        func.cardinality(func.show_trgm(hidden_text)) > _TRIGRAMS_OF_TWO_LETTERS,
        or_(*(name.bool_op(sign)(hidden_text) for name in names for sign in ("%", "%>"))),
        not_(func.starts_with(_username, hidden_text)),
        not_(is_prefix),
    ).limit(_MAX_COMPARED_NAMES)


_MATCH_KINDS: tuple[tuple[Callable[[ColumnElement[str]], AnySelect], str], ...] = (
    (_by_username, "name"),
    (_by_display_name, "name"),
    (_by_similarity, "distance"),
)
"""The kinds of match, best first, with the sort column of each."""


def _select_users(
    name: ColumnElement[str], distance: ColumnElement[Any] | None = None
) -> AnySelect:
    return select(
        *summary_columns(),
        (cast(0, REAL) if distance is None else distance).label("distance"),
        name.label("name"),
    )


def _starts_with(name: ColumnElement[str], text: ColumnElement[str]) -> ColumnElement[bool]:
    """As a range of a prefix index, which holds the first `_MAX_PREFIX_LENGTH` characters."""
    prefix = func.left(text, _MAX_PREFIX_LENGTH)
    return and_(name >= prefix, name < prefix.concat(_LAST_CODE_POINT))
