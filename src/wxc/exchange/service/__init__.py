"""Boards of rates: what may happen to them, and what follows."""

from wxc.exchange.service.history import list_history, present_change
from wxc.exchange.service.quoting import quote
from wxc.exchange.service.reading import find_exchange, find_own, is_hidden, list_currencies
from wxc.exchange.service.searching import search
from wxc.exchange.service.verifying import Verification, verify_rates
from wxc.exchange.service.writing import (
    confirm_board,
    delete_board,
    remind_owners,
    replace_board,
    topic_of,
)

__all__ = [
    "Verification",
    "confirm_board",
    "delete_board",
    "find_exchange",
    "find_own",
    "is_hidden",
    "list_currencies",
    "list_history",
    "present_change",
    "quote",
    "remind_owners",
    "replace_board",
    "search",
    "topic_of",
    "verify_rates",
]
