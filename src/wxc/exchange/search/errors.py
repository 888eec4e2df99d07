from wxc.http.refusals.resources import Conflict


class SearchExpired(Conflict):
    """These search results are out of date. Please search again.

    All pages of a search use the rates at the time of its first page, for ten minutes. Repeat the
    search without `cursor`.
    """
