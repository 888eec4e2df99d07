"""Metrics for Prometheus.

Values live in the process, or in files that the processes of a command share, see `exposition`.
Counters and histograms are updated per event; gauges, as of a pool's use, are sampled.
"""

import asyncio
from collections.abc import Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.types import Scope

from wxc.core import clock
from wxc.core.tasks import OnSuccess, pause
from wxc.db.database import Database
from wxc.http.services import Services
from wxc.mail import service as mails

_SAMPLE_INTERVAL = 5.0  # seconds
_OUTBOX_INTERVAL = 15.0
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"})


class ServerMetrics:
    """Metrics of a server process. Routes are templates, so clients cannot invent labels."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "wxc_requests",
            "Requests by route and status; 0 where the client had gone before the answer.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "wxc_request_seconds",
            "Time until the answer begins.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        # To look up a child by its labels costs more than to count.
        self._counted: dict[tuple[str, str, int], Counter] = {}
        self._timed: dict[tuple[str, str], Histogram] = {}
        self._add_gauges()

    def answered(self, scope: Scope, route: str, status: int, seconds: float) -> None:
        """Count a request, and observe the time until its answer began."""
        method = scope["method"] if scope["method"] in _METHODS else "other"
        counter = self._counted.get((method, route, status))
        if counter is None:
            counter = self._requests.labels(method, route, status)
            self._counted[method, route, status] = counter
        counter.inc()
        if status:
            timer = self._timed.get((method, route))
            if timer is None:
                timer = self._timed[method, route] = self._seconds.labels(method, route)
            timer.observe(seconds)

    async def watch(self, services: Services) -> None:
        """Sample the gauges for as long as the process runs (a background task)."""
        config, traffic = services.config, services.traffic
        self._max_connections.set(services.database.max_connections)
        self._most_hashing.set(config.password_hash_queue)
        self._most_streams.set(config.streams_in_flight)
        while True:
            self._in_flight.set(traffic.requests)
            self._member_streams.set(traffic.streams["member"])
            self._anonymous_streams.set(traffic.streams["anonymous"])
            self._connections.set(services.database.connections_in_use)
            self._hashing.set(services.auth.passwords.waiting)
            self._breaker.set(services.redis.is_tripped)
            await asyncio.sleep(_SAMPLE_INTERVAL)

    def _add_gauges(self) -> None:
        self._in_flight = self._sum("wxc_requests_in_flight", "Requests under way.")
        streams = self._sum(
            "wxc_streams_open", "Server-sent events and exports that are under way.", "viewer"
        )
        self._member_streams = streams.labels("member")
        self._anonymous_streams = streams.labels("anonymous")
        self._most_streams = self._sum(
            "wxc_streams_limit", "How many of those there may be, half of them anonymous."
        )
        self._connections = self._sum(
            "wxc_database_connections_in_use", "Connections that requests hold at this moment."
        )
        self._max_connections = self._sum(
            "wxc_database_connections_limit", "Connections that the pools may hand out."
        )
        self._hashing = self._sum(
            "wxc_password_hashing", "Passwords that are being hashed, or wait for it."
        )
        self._most_hashing = self._sum(
            "wxc_password_hashing_limit", "Passwords that may wait before logins are refused."
        )
        self._breaker = Gauge(
            "wxc_redis_breaker_open",
            "1 while a process has given up on Redis and works without it.",
            multiprocess_mode="livemax",
            registry=self.registry,
        )

    def _sum(self, name: str, meaning: str, *labels: str) -> Gauge:
        """A gauge whose value is the sum over all live processes."""
        return Gauge(name, meaning, labels, multiprocess_mode="livesum", registry=self.registry)


class WorkerMetrics:
    """Metrics of `wxc worker`: its own tasks, and the outbox that all workers share."""

    name = "metrics"

    def __init__(self, database: Database) -> None:
        self.registry = CollectorRegistry()
        self._database = database
        self._rounds = Gauge(
            "wxc_job_last_round_timestamp_seconds",
            "When a job of the background last came to the end of a round.",
            ("task",),
            multiprocess_mode="livemax",
            registry=self.registry,
        )
        self._failures = Counter(
            "wxc_job_failures", "Rounds that have failed.", ("task",), registry=self.registry
        )
        self._due = self._latest("wxc_outbox_due_mails", "Mails whose time has come.")
        self._age = self._latest(
            "wxc_outbox_oldest_due_seconds", "For how long the first of them has been due."
        )
        self._dead = self._latest(
            "wxc_outbox_dead_mails", "Mails that were given up within the last hour."
        )

    def expect(self, jobs: Sequence[str]) -> None:
        """Start at zero, so that a first failure is a rise and a task that hangs is visible."""
        for job in jobs:
            self._failures.labels(job)
            self.has_done(job)

    def has_done(self, job: str) -> None:
        """Record a round that succeeded."""
        self._rounds.labels(job).set_to_current_time()

    def has_failed(self, job: str) -> None:
        """Record a round that failed."""
        self._failures.labels(job).inc()

    async def run(self, stop: asyncio.Event, done: OnSuccess) -> None:
        """Sample the outbox until `stop` is set (a task like the others)."""
        while not stop.is_set():
            await self.look()
            done()
            await pause(_OUTBOX_INTERVAL, stop)

    async def look(self) -> None:
        """Count the mails that are due and those that were given up."""
        outbox = await mails.outbox(self._database.primary)
        self._due.set(outbox.due)
        self._age.set((clock.now() - outbox.oldest).total_seconds() if outbox.oldest else 0)
        self._dead.set(outbox.dead)

    def _latest(self, name: str, meaning: str) -> Gauge:
        return Gauge(name, meaning, multiprocess_mode="livemostrecent", registry=self.registry)
