"""The boards that a search finds."""

from typing_extensions import TypedDict

from wxc.exchange.boards.schemas.exchange import Exchange
from wxc.exchange.quotes.schemas import Quote
from wxc.http.answers import answer
from wxc.http.pages import Items, NextCursor, PrevCursor


@answer({"distance_m": 412.7})
class Hit(TypedDict):
    """A board that was found."""

    exchange: Exchange
    """The board, by the rates of the search."""
    distance_m: float | None
    """Null where no place was asked for."""
    quote: Quote | None
    """Null where no conversion was asked for."""


@answer({"next_cursor": "cgGYwqR8Hn06nwBcLkp7HZDW3kQm1vX5cT0aYpJr8sLfUw"})
class HitPage(TypedDict):
    """One page of boards by the rates of one instant; `prev_cursor` is always null."""

    items: Items[Hit]
    next_cursor: NextCursor
    prev_cursor: PrevCursor
