"""Refusals of a search."""

from wxc.http.refusals.resources import Conflict


class SearchExpired(Conflict):
    """The rates that this search goes by are too old. Please search again.

    All pages of a search go by the rates of its first page, for ten minutes. Search again
    without the cursor.
    """
