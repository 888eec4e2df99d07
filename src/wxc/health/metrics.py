"""Metrics for Prometheus.

Values are stored in the process, or in files that the processes of a command share (`exposition`).
Counters and histograms are updated per event; gauges are sampled.
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
    """Metrics of a server process. Labels contain route templates, so clients cannot create any."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "wxc_requests",
            "Requests by route and status; 0 if the client disconnected before the response.",
            ("method", "route", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "wxc_request_seconds",
            "Time until the response begins.",
            ("method", "route"),
            buckets=_BUCKETS,
            registry=self.registry,
        )
        # Looking up a child by its labels costs more than counting.
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self._timers: dict[tuple[str, str], Histogram] = {}
        self._add_gauges()

    def record_request(self, scope: Scope, route: str, status: int, seconds: float) -> None:
        """Count a request, and observe the time until its response began."""
        method = scope["method"] if scope["method"] in _METHODS else "other"
        counter = self._counters.get((method, route, status))
        if counter is None:
            counter = self._requests.labels(method, route, status)
            self._counters[method, route, status] = counter
        counter.inc()
        if status:
            timer = self._timers.get((method, route))
            if timer is None:
                timer = self._timers[method, route] = self._seconds.labels(method, route)
            timer.observe(seconds)

    async def watch(self, services: Services) -> None:
        """Sample the gauges until the process ends (a background task)."""
        config, traffic = services.config, services.traffic
        self._connections_limit.set(services.database.max_connections)
        self._hashing_limit.set(config.password_hash_queue)
        self._streams_limit.set(config.streams_in_flight)
        while True:
            self._in_flight.set(traffic.requests)
            self._member_streams.set(traffic.streams["member"])
            self._anonymous_streams.set(traffic.streams["anonymous"])
            self._connections.set(services.database.connections_in_use)
            self._hashing.set(services.auth.passwords.queue_length)
            self._breaker.set(services.redis.is_tripped)
            await asyncio.sleep(_SAMPLE_INTERVAL)

    def _add_gauges(self) -> None:
        self._in_flight = self._sum_gauge("wxc_requests_in_flight", "Requests in flight.")
        streams = self._sum_gauge(
            "wxc_streams_open", "Open server-sent event streams and exports.", "viewer"
        )
        self._member_streams = streams.labels("member")
        self._anonymous_streams = streams.labels("anonymous")
        self._streams_limit = self._sum_gauge(
            "wxc_streams_limit", "Maximum number of open streams; half of them may be anonymous."
        )
        self._connections = self._sum_gauge(
            "wxc_database_connections_in_use", "Database connections in use."
        )
        self._connections_limit = self._sum_gauge(
            "wxc_database_connections_limit", "Maximum number of database connections in the pools."
        )
        self._hashing = self._sum_gauge(
            "wxc_password_hashing", "Passwords being hashed or waiting to be hashed."
        )
        self._hashing_limit = self._sum_gauge(
            "wxc_password_hashing_limit",
            "Maximum length of the password hashing queue before logins are refused.",
        )
        self._breaker = Gauge(
            "wxc_redis_breaker_open",
            "1 while the circuit breaker for Redis is open in a process.",
            multiprocess_mode="livemax",
            registry=self.registry,
        )

    def _sum_gauge(self, name: str, description: str, *labels: str) -> Gauge:
        """A gauge whose value is the sum over all live processes."""
        return Gauge(name, description, labels, multiprocess_mode="livesum", registry=self.registry)


class WorkerMetrics:
    """Metrics of `wxc worker`: its own tasks, and the outbox that all workers share."""

    name = "metrics"

    def __init__(self, database: Database) -> None:
        self.registry = CollectorRegistry()
        self._database = database
        self._rounds = Gauge(
            "wxc_job_last_round_timestamp_seconds",
            "Time of the last successful round of a background job.",
            ("task",),
            multiprocess_mode="livemax",
            registry=self.registry,
        )
        self._failures = Counter(
            "wxc_job_failures",
            "Failed rounds of background jobs.",
            ("task",),
            registry=self.registry,
        )
        self._due = self._latest_gauge("wxc_outbox_due_mails", "Mails that are due.")
        self._age = self._latest_gauge(
            "wxc_outbox_oldest_due_seconds", "Age of the oldest due mail."
        )
        self._dead = self._latest_gauge(
            "wxc_outbox_dead_mails", "Mails given up within the last hour."
        )

    def register_jobs(self, jobs: Sequence[str]) -> None:
        """Create the series of the jobs, so that a first failure is an increase from zero."""
        for job in jobs:
            self._failures.labels(job)
            self.record_success(job)

    def record_success(self, job: str) -> None:
        self._rounds.labels(job).set_to_current_time()

    def record_failure(self, job: str) -> None:
        self._failures.labels(job).inc()

    async def run(self, stop: asyncio.Event, done: OnSuccess) -> None:
        """Sample the outbox until `stop` is set; runs as a job like the others."""
        while not stop.is_set():
            await self.sample_outbox()
            done()
            await pause(_OUTBOX_INTERVAL, stop)

    async def sample_outbox(self) -> None:
        outbox = await mails.count_outbox(self._database.primary)
        self._due.set(outbox.due)
        self._age.set((clock.now() - outbox.oldest).total_seconds() if outbox.oldest else 0)
        self._dead.set(outbox.dead)

    def _latest_gauge(self, name: str, description: str) -> Gauge:
        return Gauge(name, description, multiprocess_mode="livemostrecent", registry=self.registry)
