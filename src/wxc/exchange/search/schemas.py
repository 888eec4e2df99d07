from typing_extensions import TypedDict

from wxc.exchange.boards.schemas.exchange import Exchange
from wxc.exchange.quotes.schemas import Quote
from wxc.http.answers import answer
from wxc.http.pages import Items, NextCursor, PrevCursor


@answer({"distance_m": 412.7})
class Hit(TypedDict):
    """An exchange that matches the search."""

    exchange: Exchange
    """Its rates are those at the time of the first page."""
    distance_m: float | None
    """Distance in metres; null without a place."""
    quote: Quote | None
    """The requested conversion; null without a conversion."""


@answer({"next_cursor": "cgGYwqR8Hn06nwBcLkp7HZDW3kQm1vX5cT0aYpJr8sLfUw"})
class HitPage(TypedDict):
    """A page of matching exchanges; `prev_cursor` is always null."""

    items: Items[Hit]
    next_cursor: NextCursor
    prev_cursor: PrevCursor
