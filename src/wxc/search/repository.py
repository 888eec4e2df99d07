"""SQL that finds people.

What begins with the text is read along an index in its own order, so that a page costs the same
however many names begin like that. Only where those end is looked for what is spelled alike.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
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
    tuple_,
    union_all,
)

from wxc.core.database import AnyRow, AnySelect, Reader
from wxc.models import User
from wxc.users.repository import summary
from wxc.users.visibility import visible_to

_LAST_LETTER = chr(0x10FFFF)  # of all that a text may hold; no character of any alphabet
_LONGEST_PREFIX = 30
_MOST_ALIKE = 5000
"""So many are compared, whichever an index finds first."""
_FEW_TRIGRAMS = 3  # what two letters have: too little to say that something is like them
_username, _display_name = func.lower(User.username), func.lower(User.display_name)
# As the indexes have them: letter by letter, whatever the order of a language.
_username_in_order, _display_name_in_order = (
    func.left(name.collate("C"), _LONGEST_PREFIX) for name in (_username, _display_name)
)


class Standing(NamedTuple):
    """Where somebody stands: the kind of match, the distance from the text, the name, the id."""

    kind: int
    distance: float
    name: str
    id: UUID


class PeopleReader:
    """People as a viewer may find them."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader

    async def found(
        self,
        text: str,
        viewer_id: UUID | None,
        beside: Standing | None,
        most: int,
        *,
        backwards: bool,
    ) -> Sequence[AnyRow]:
        """The `most` rows of `UserSummary` and `Standing` next after `beside`, or before it."""
        asked = func.lower(literal(text, Text()))
        kinds = [
            _page(kind, asked, viewer_id, beside, most, backwards=backwards)
            for kind in range(len(_KINDS))
            if beside is None or kind == beside.kind or (kind < beside.kind) == backwards
        ]
        # No ORDER BY: the kinds are read one after the other, and none once there are enough.
        matches = union_all(*(kinds[::-1] if backwards else kinds)).subquery("matches")
        return (await self.reader.execute(select(matches).limit(most))).all()


def _by_username(asked: ColumnElement[str]) -> AnySelect:
    """Who has that username, then whose begins with it: the shortest is the first of them."""
    return _people(_username_in_order).where(
        _begins(_username_in_order, asked),
        func.starts_with(_username, asked),
    )


def _by_display_name(asked: ColumnElement[str]) -> AnySelect:
    """Whose display name begins with it."""
    return _people(_display_name_in_order).where(
        _begins(_display_name_in_order, asked),
        func.starts_with(_display_name, asked),
        not_(func.starts_with(_username, asked)),
    )


def _by_likeness(text: ColumnElement[str]) -> AnySelect:
    """Who is called something that shares trigrams with it."""
    # A planner that saw a text which is like many names would rather read all members.
    asked = select(text).scalar_subquery()
    names = (_username, _display_name)
    likeness = func.greatest(*(func.similarity(name, asked) for name in names), type_=REAL)
    begins = func.coalesce(func.starts_with(_display_name, asked), False)
    alike = _people(literal("", Text()), cast(1, REAL) - likeness)
    return alike.where(
        func.cardinality(func.show_trgm(asked)) > _FEW_TRIGRAMS,
        or_(*(name.bool_op("%")(asked) for name in names)),
        not_(func.starts_with(_username, asked)),
        not_(begins),
    ).limit(_MOST_ALIKE)


_KINDS: tuple[tuple[Callable[[ColumnElement[str]], AnySelect], str], ...] = (
    (_by_username, "name"),
    (_by_display_name, "name"),
    (_by_likeness, "distance"),
)
"""How people are found, in this order, and what orders those who are found so."""


def _people(name: ColumnElement[str], distance: ColumnElement[Any] | None = None) -> AnySelect:
    return select(
        *summary(),
        (cast(0, REAL) if distance is None else distance).label("distance"),
        name.label("name"),
    )


def _begins(name: ColumnElement[str], asked: ColumnElement[str]) -> ColumnElement[bool]:
    """`name` begins with it, as a range of an index that is ordered letter by letter."""
    beginning = func.left(asked, _LONGEST_PREFIX)
    return and_(name >= beginning, name < beginning.concat(_LAST_LETTER))


def _page(
    kind: int,
    asked: ColumnElement[str],
    viewer_id: UUID | None,
    beside: Standing | None,
    most: int,
    *,
    backwards: bool,
) -> AnySelect:
    """The `most` of this kind next to `beside`."""
    find, first = _KINDS[kind]
    found = find(asked).where(visible_to(viewer_id)).subquery()
    people, order = select(found), [found.c[name] for name in (first, "id")]
    if beside is not None and beside.kind == kind:
        here, place = tuple_(*order), (getattr(beside, first), beside.id)
        people = people.where(here < place if backwards else here > place)
    directed = [column.desc() if backwards else column.asc() for column in order]
    ordered = people.order_by(*directed).limit(most).subquery()
    return select(ordered, literal(kind, Integer()).label("kind"))
