"""SQL that finds people.

Names that begin with the text are read along an index in its own order, so that a page costs the
same however many there are. Only behind them are similar names looked for.
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
from wxc.social.users.repository import summary
from wxc.social.users.visibility import visible_to

_LAST_LETTER = chr(0x10FFFF)  # of all that a text may hold; no character of any alphabet
_MAX_PREFIX = 30
_MAX_COMPARED = 5000
"""How many similar names are compared, whichever an index finds first."""
_TRIGRAMS_OF_TWO_LETTERS = 3  # too few to say that a name is similar
_username, _display_name = func.lower(User.username), func.lower(User.display_name)
# As the indexes have them: letter by letter, whatever the order of a language.
_username_in_order, _display_name_in_order = (
    func.left(name.collate("C"), _MAX_PREFIX) for name in (_username, _display_name)
)


class FoundPerson(NamedTuple):
    """A person, and the rank of the match."""

    id: UUID
    username: str
    display_name: str | None
    avatar_url: str | None
    distance: float
    """From the text; 0 where the name begins with it."""
    name: str
    """What orders those whose name begins with the text."""
    kind: int
    """The index of the kind of match in `_KINDS`."""


@prepared(FoundPerson)
def people_found(
    text: Annotated[str, Text()],
    viewer_id: UUID | None,
    distance: Annotated[float | None, REAL()],
    name: Annotated[str | None, Text()],
    *,
    page: PageRequest,
    kind: int | None,
) -> AnySelect:
    """Up to `limit + 1` people, from that kind, distance and name on; None at the very start."""
    asked = func.lower(bind(text))
    starts: dict[str, ColumnElement[Any]] = {"distance": bind(distance), "name": bind(name)}
    kinds: list[AnySelect] = []
    for number, (find, first) in enumerate(_KINDS):
        found = find(asked).where(visible_to(viewer_id)).subquery()
        rank = Rank(found.c[first], starts[first])
        # Kinds behind the one where the page begins are read from their own beginning.
        read = page.window if number == kind else page.order_and_limit
        people = read(select(found), found.c.id, rank).subquery()
        if kind is None or number == kind or (number > kind) is page.ascends:
            kinds.append(select(people, literal(number, Integer()).label("kind")))
    # No ORDER BY: the kinds are read one after the other, and none once there are enough.
    matches = union_all(*(kinds if page.ascends else kinds[::-1])).subquery("matches")
    return select(matches).limit(page.limit + 1)


def _by_username(asked: ColumnElement[str]) -> AnySelect:
    """People whose username begins with the text, the shortest first."""
    return _people(_username_in_order).where(
        _begins(_username_in_order, asked),
        func.starts_with(_username, asked),
    )


def _by_display_name(asked: ColumnElement[str]) -> AnySelect:
    """Others whose display name begins with it."""
    return _people(_display_name_in_order).where(
        _begins(_display_name_in_order, asked),
        func.starts_with(_display_name, asked),
        not_(func.starts_with(_username, asked)),
    )


def _by_similarity(text: ColumnElement[str]) -> AnySelect:
    """Others with a name that shares trigrams with it."""
    # A planner that saw a text which is like many names would rather read all members.
    asked = select(text).scalar_subquery()
    names = (_username, _display_name)
    similarity = func.greatest(*(func.similarity(name, asked) for name in names), type_=REAL)
    begins = func.coalesce(func.starts_with(_display_name, asked), False)
    similar = _people(literal("", Text()), cast(1, REAL) - similarity)
    return similar.where(
        func.cardinality(func.show_trgm(asked)) > _TRIGRAMS_OF_TWO_LETTERS,
        or_(*(name.bool_op("%")(asked) for name in names)),
        not_(func.starts_with(_username, asked)),
        not_(begins),
    ).limit(_MAX_COMPARED)


_KINDS: tuple[tuple[Callable[[ColumnElement[str]], AnySelect], str], ...] = (
    (_by_username, "name"),
    (_by_display_name, "name"),
    (_by_similarity, "distance"),
)
"""How people are found, in this order, and the column that orders each kind."""


def _people(name: ColumnElement[str], distance: ColumnElement[Any] | None = None) -> AnySelect:
    return select(
        *summary(),
        (cast(0, REAL) if distance is None else distance).label("distance"),
        name.label("name"),
    )


def _begins(name: ColumnElement[str], asked: ColumnElement[str]) -> ColumnElement[bool]:
    """`name` begins with it, as a range of an index that is ordered letter by letter."""
    beginning = func.left(asked, _MAX_PREFIX)
    return and_(name >= beginning, name < beginning.concat(_LAST_LETTER))
