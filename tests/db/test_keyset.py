"""Keyset pages miss no item, mark the end, and have cursors that are valid for one list only."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxc.core import clock
from wxc.core.ids import first_id_at, new_id, time_of
from wxc.db.cursors import MAX_CURSOR_LENGTH, CursorSigner
from wxc.db.keyset import Order, PageRequest, PageSlice, SortKey
from wxc.http.refusals.resources import InvalidCursor

SIGNER = CursorSigner(b"k" * 32)
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


class Shelf:
    """A list in memory, paged like a table."""

    def __init__(self, ids: list[UUID], *, oldest_first: bool = False) -> None:
        self.ids = ids
        self.order = Order.OLDEST_FIRST if oldest_first else Order.NEWEST_FIRST

    def page(self, limit: int, cursor: str | None = None) -> PageSlice[UUID]:
        page = PageRequest(SIGNER, "shelf", limit, cursor, order=self.order)
        position = page.position
        if page.ascends:
            rows = sorted(one for one in self.ids if position is None or one > position)
        else:
            rows = sorted(
                (one for one in self.ids if position is None or one < position), reverse=True
            )
        return page.slice(rows[: limit + 1], key=lambda one: one)


class Ranking:
    """A list by rank in memory, paged like a table."""

    def __init__(self, keys: list[SortKey]) -> None:
        self.keys = keys

    def page(self, limit: int, cursor: str | None = None) -> PageSlice[SortKey]:
        page = PageRequest(SIGNER, "ranking", limit, cursor, order=Order.BY_RANK)
        start = page.key
        rows = [
            key
            for key in sorted(self.keys, reverse=not page.ascends)
            if start is None or (key > start if page.ascends else key < start)
        ]
        return page.slice(rows[: limit + 1], key=lambda key: key)


KEYS = st.builds(
    SortKey,
    rank=st.binary(max_size=2),
    id=st.integers(0, 2**40).map(lambda number: UUID(int=number)),
)


def ids_at(*seconds: float) -> list[UUID]:
    return [
        UUID(int=first_id_at(LONG_AGO + timedelta(seconds=second)).int + 1) for second in seconds
    ]


@given(st.sets(st.integers(0, 10_000), max_size=60), st.integers(1, 25), st.booleans())
def test_next_cursor_leads_through_every_item_once_in_order(
    seconds: set[int], limit: int, oldest_first: bool
) -> None:
    shelf = Shelf(ids_at(*seconds), oldest_first=oldest_first)

    seen: list[UUID] = []
    page_slice = shelf.page(limit)
    seen += page_slice.rows
    while page_slice.next_cursor is not None:
        page_slice = shelf.page(limit, page_slice.next_cursor)
        seen += page_slice.rows

    assert seen == sorted(shelf.ids, reverse=not oldest_first)


def test_the_last_page_of_an_oldest_first_list_leads_to_later_items() -> None:
    shelf = Shelf(ids_at(1, 2), oldest_first=True)
    end = shelf.page(5)
    empty = shelf.page(5, end.prev_cursor)
    shelf.ids += (later := ids_at(3, 4))

    assert (end.next_cursor, empty.rows, empty.next_cursor) == (None, [], None)
    for cursor in (end.prev_cursor, empty.prev_cursor):
        assert shelf.page(5, cursor).rows == later
    assert Shelf([], oldest_first=True).page(5) == PageSlice([], None, None)


@given(st.sets(KEYS, max_size=40), st.integers(1, 15))
def test_a_list_by_rank_is_read_to_its_end_and_back(keys: set[SortKey], limit: int) -> None:
    ranking = Ranking(list(keys))

    forwards: list[SortKey] = []
    page_slice = ranking.page(limit)
    while True:
        forwards += page_slice.rows
        if page_slice.next_cursor is None:
            break
        page_slice = ranking.page(limit, page_slice.next_cursor)
    backwards = list(page_slice.rows)
    while (
        page_slice := ranking.page(limit, page_slice.prev_cursor)
    ).rows and page_slice.prev_cursor:
        backwards = [*page_slice.rows, *backwards]

    assert forwards == sorted(keys)
    assert backwards == (sorted(keys) if keys else [])


def test_an_empty_page_by_rank_leads_back() -> None:
    ranking = Ranking([SortKey(b"", one) for one in ids_at(1, 2, 3)])
    first, keys = ranking.page(2), ranking.keys
    before = ranking.page(2, first.prev_cursor)
    ranking.keys = keys[:2]
    behind = ranking.page(2, first.next_cursor)

    assert (before.rows, before.prev_cursor) == ([], first.prev_cursor)
    assert ranking.page(2, before.next_cursor).rows == keys[:2]
    assert (behind.rows, behind.next_cursor) == ([], None)
    assert ranking.page(2, behind.prev_cursor).rows == keys[:2]


def test_a_page_can_start_at_another_key_of_the_same_list() -> None:
    page = PageRequest(SIGNER, "ranking", 5, None, order=Order.BY_RANK)
    key = SortKey(b"a", new_id())

    moved = page.starting_at(key, 100)

    assert (moved.key, moved.limit, page.key, page.limit) == (key, 100, None, 5)
    again = PageRequest(SIGNER, "ranking", 5, moved.cursor_after(key), order=Order.BY_RANK)
    assert again.key == key


def test_a_cursor_stores_extra_bytes_for_its_own_list_only() -> None:
    cursor = SIGNER.sign("shelf", b"o", new_id(), b"abc")

    assert SIGNER.verify("shelf", cursor)[2] == b"abc"
    for wrong in ("cshelf", "abcshelf", "helf"):
        with pytest.raises(InvalidCursor):
            SIGNER.verify(wrong, cursor)


@given(st.sets(st.integers(0, 10_000), min_size=1, max_size=60), st.integers(1, 25))
def test_prev_cursor_leads_back_to_the_newest_item(seconds: set[int], limit: int) -> None:
    shelf = Shelf(ids_at(*seconds))
    page_slice = shelf.page(limit)
    while page_slice.next_cursor is not None:
        page_slice = shelf.page(limit, page_slice.next_cursor)

    back = list(page_slice.rows)
    while True:
        assert page_slice.prev_cursor is not None
        page_slice = shelf.page(limit, page_slice.prev_cursor)
        if not page_slice.rows:
            break
        back = [*page_slice.rows, *back]

    assert back == sorted(shelf.ids, reverse=True)


def test_polling_misses_no_item_that_is_committed_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids are generated before COMMIT, so an item older than those seen may still appear."""
    moment = LONG_AGO + timedelta(seconds=100)
    monkeypatch.setattr(clock, "now", lambda: moment)
    older, newer = ids_at(98.5, 99.5)
    shelf = Shelf([*ids_at(1, 2), newer])
    page_slice = shelf.page(10)

    shelf.ids.append(older)
    page_slice = shelf.page(10, page_slice.prev_cursor)

    assert older in page_slice.rows


def test_polling_with_a_small_limit_reads_a_burst_completely(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """More items within two seconds than fit on a page must not block a poller forever."""
    moment = LONG_AGO + timedelta(seconds=100)
    monkeypatch.setattr(clock, "now", lambda: moment)
    burst = ids_at(98.1, 98.2, 98.3, 98.4)
    shelf = Shelf(ids_at(1))
    cursor = shelf.page(1).prev_cursor
    shelf.ids += burst

    seen: set[UUID] = set()
    for _ in range(30):
        page_slice = shelf.page(1, cursor)
        seen.update(page_slice.rows)
        cursor = page_slice.prev_cursor
        moment += timedelta(seconds=0.2)
        monkeypatch.setattr(clock, "now", lambda moment=moment: moment)

    assert seen == set(burst)


def test_an_empty_list_has_no_cursors() -> None:
    assert Shelf([]).page(5) == PageSlice([], None, None)


def test_an_empty_poll_returns_its_own_cursor() -> None:
    shelf = Shelf(ids_at(1, 2))
    cursor = shelf.page(5).prev_cursor

    page_slice = shelf.page(5, cursor)

    assert (page_slice.rows, page_slice.prev_cursor) == ([], cursor)
    assert shelf.page(5, page_slice.next_cursor).rows == sorted(shelf.ids, reverse=True)


def test_an_empty_page_past_the_end_leads_back() -> None:
    shelf = Shelf(ids_at(1, 2, 3))
    cursor = shelf.page(2).next_cursor
    last = shelf.ids.pop(0)

    page_slice = shelf.page(2, cursor)

    assert (page_slice.rows, page_slice.next_cursor) == ([], None)
    assert last not in shelf.page(5, page_slice.prev_cursor).rows
    assert shelf.page(5, page_slice.prev_cursor).rows == sorted(shelf.ids, reverse=True)


def test_an_empty_page_does_not_skip_uncommitted_items() -> None:
    cursor = SIGNER.sign("shelf", b"o", new_id())

    page_slice = Shelf([]).page(5, cursor)

    assert page_slice.prev_cursor is not None
    _, position, _ = SIGNER.verify("shelf", page_slice.prev_cursor)
    assert time_of(position) < clock.now() - timedelta(seconds=1.9)


@pytest.mark.parametrize("scope", ["feed", "", "shelf?q=a"])
def test_a_cursor_of_another_list_is_refused(scope: str) -> None:
    cursor = SIGNER.sign("shelf", b"o", new_id())

    with pytest.raises(InvalidCursor):
        PageRequest(SIGNER, scope, 5, cursor)


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")))
def test_an_unsigned_cursor_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        SIGNER.verify("shelf", text)


def test_a_cursor_is_short_and_has_one_encoding() -> None:
    cursor = SIGNER.sign("shelf", b"o", new_id())

    assert len(cursor) < MAX_CURSOR_LENGTH
    for other in (f"{cursor}=", f" {cursor}", f"{cursor}\n", cursor + "A" * 300, cursor[:-1]):
        with pytest.raises(InvalidCursor):
            SIGNER.verify("shelf", other)


def test_a_cursor_signed_with_another_key_is_refused() -> None:
    with pytest.raises(InvalidCursor):
        CursorSigner(b"x" * 32).verify("shelf", SIGNER.sign("shelf", b"o", new_id()))


def test_ids_are_ordered_by_the_time_they_were_generated() -> None:
    ids = [new_id() for _ in range(1000)]

    assert ids == sorted(ids)
    assert abs(time_of(ids[0]) - clock.now()) < timedelta(seconds=5)
    assert first_id_at(time_of(ids[0])) <= ids[0]
