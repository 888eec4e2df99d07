"""Moving windows: the times of the last hits, in Redis or in this process."""

import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from redis.asyncio import Redis

_MAX_LOCAL_WINDOWS = 20_000  # in a process while Redis is unavailable; the oldest is evicted
# Sorted sets of hits by time. The time to wait is that of the hit whose leaving makes room.
_COUNT = """
local now, token, is_counted, reply = tonumber(ARGV[1]), ARGV[2], 1, {}
for index, key in ipairs(KEYS) do
    local limit, seconds, amount = unpack(ARGV, 3 * index, 3 * index + 2)
    redis.call('ZREMRANGEBYSCORE', key, '-inf', now - seconds)
    if redis.call('ZCARD', key) + amount > tonumber(limit) then is_counted = 0 end
end
for index, key in ipairs(KEYS) do
    local limit, seconds, amount = unpack(ARGV, 3 * index, 3 * index + 2)
    for number = 1, is_counted * amount do
        redis.call('ZADD', key, ARGV[1], token .. number)
        redis.call('EXPIRE', key, seconds)
    end
    local hits = redis.call('ZCARD', key)
    local excess = hits - limit + (1 - is_counted) * amount
    local leaving = math.min(math.max(excess - 1, 0), hits - 1)
    local oldest = hits > 0 and redis.call('ZRANGE', key, leaving, leaving, 'WITHSCORES')[2]
    reply[2 * index - 1], reply[2 * index] = hits, oldest or ARGV[1]
end
return {is_counted, unpack(reply)}
"""


@dataclass(frozen=True, slots=True)
class Window:
    """One rate, and how much of it to use."""

    name: str
    is_for_members: bool
    key: str
    limit: int
    seconds: int
    amount: int


def send_count(redis: Redis, windows: Sequence[Window]) -> Any:  # noqa: ANN401 - or the pipeline
    """Use all windows or none; an awaitable, or the command in a pipeline.

    The reply: whether they were used, then for each its hits and the time of the one that has to
    leave before there is room.
    """
    keys = [window.key for window in windows]
    bounds = (
        bound for window in windows for bound in (window.limit, window.seconds, window.amount)
    )
    return redis.eval(_COUNT, len(keys), *keys, time.time(), token_hex(8), *bounds)


class LocalWindows:
    """Moving windows of this process, bounded in number."""

    def __init__(self, max_windows: int = _MAX_LOCAL_WINDOWS) -> None:
        self._max_windows = max_windows
        self._hits: OrderedDict[str, deque[float]] = OrderedDict()

    def add(self, key: str, amount: int) -> None:
        hits = self._hits.setdefault(key, deque())
        hits.extend([time.time()] * amount)
        self._hits.move_to_end(key)
        if len(self._hits) > self._max_windows:
            self._hits.popitem(last=False)

    def recent(self, key: str, seconds: int) -> deque[float]:
        """The times of the hits within the last `seconds`, oldest first."""
        hits = self._hits.get(key, deque())
        while hits and hits[0] <= time.time() - seconds:
            hits.popleft()
        return hits


def count_locally(windows: Sequence[LocalWindows], uses: Sequence[Window]) -> list[Any]:
    """What `send_count` returns, from windows of this process."""
    pairs = list(zip(windows, uses, strict=True))
    is_allowed = all(
        len(local.recent(window.key, window.seconds)) + window.amount <= window.limit
        for local, window in pairs
    )
    reply: list[Any] = [int(is_allowed)]
    for local, window in pairs:
        if is_allowed and window.amount:
            local.add(window.key, window.amount)
        hits = local.recent(window.key, window.seconds)
        excess = len(hits) - window.limit + (0 if is_allowed else window.amount)
        leaving = min(max(excess - 1, 0), len(hits) - 1)
        reply += [len(hits), hits[leaving] if hits else time.time()]
    return reply
