"""Requests per second, latency and CPU time of one worker.

The workloads `feed` and `like` are compared with a limit: the same work in a bare application.
Reads are measured before writes, since feeds would show new posts.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from bench.data import filled_database, undo_writes
from bench.load import Findings, LoadTest, measure
from bench.members import readers, writers
from bench.options import Options
from bench.revisions import name_at, serving_revision
from bench.server import Server, serve_filled, start_server
from bench.workloads import READS, WRITES, Workload, recent_posts
from bench.wrk import Request


def throughput(names: Sequence[str], options: Options) -> Findings:
    database_url = filled_database(options.members)
    findings = Findings()
    with ExitStack() as stack:
        server = stack.enter_context(serve_filled(database_url))
        bare = stack.enter_context(_limit(database_url))
        revision = options.against
        other = stack.enter_context(serving_revision(revision, database_url)) if revision else None
        stack.enter_context(undo_writes(database_url))
        for group in (READS, WRITES):
            tests = list(_load_tests(group, names, server, bare, database_url))
            if revision and other:
                tests += [
                    LoadTest(name_at(name, revision), other, group[name](other, database_url))
                    for name in names
                    if name in group
                ]
            if tests:
                findings.rounds |= measure(tests, database_url, options.rounds, options.seconds)
    return findings


def _load_tests(
    group: Mapping[str, Workload],
    names: Sequence[str],
    server: Server,
    bare: Server,
    database_url: str,
) -> Iterator[LoadTest]:
    for name in names:
        if name in group:
            if name in _LIMITS:
                yield LoadTest(limit_of(name), bare, _LIMITS[name](server, database_url))
            yield LoadTest(name, server, group[name](server, database_url))


def limit_of(name: str) -> str:
    return f"the limit of {name}"


@contextmanager
def _limit(database_url: str) -> Iterator[Server]:
    settings = {**os.environ, "DATABASE_URL": database_url}
    with start_server([sys.executable, "-m", "bench.limit"], settings) as bare:
        yield bare


def _feed(server: Server, _: str) -> Sequence[Request]:
    return [Request(f"/feeds?me={member.id}", {}) for member in readers(server)]


def _like(server: Server, database_url: str) -> Sequence[Request]:
    members, posts = writers(server), recent_posts(database_url)
    return [
        Request(f"/posts/{post}/like?me={member.id}", {}, method)
        for method in ("POST", "DELETE")
        for member, post in zip(members, posts, strict=True)
    ]


_LIMITS: Mapping[str, Callable[[Server, str], Sequence[Request]]] = {"feed": _feed, "like": _like}
