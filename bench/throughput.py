"""How much one worker does, how long it takes, and what each request costs.

Beside the feed and the like stands the machine's limit: the same work in a bare application.
What reads is measured first, and then what writes: feeds would show what is posted meanwhile.
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager

from bench.against import name_at, serving_revision
from bench.choice import Choice
from bench.data import filled, writes_undone
from bench.load import Findings, Target, measure
from bench.members import readers, writers
from bench.server import Served, served, serving_filled
from bench.workloads import READS, WRITES, Workload, posts_to_like
from bench.wrk import Request


def throughput(names: Sequence[str], choice: Choice) -> Findings:
    """Measure the workloads of these names."""
    database_url = filled(choice.members)
    found = Findings()
    with ExitStack() as stack:
        server = stack.enter_context(serving_filled(database_url))
        bare = stack.enter_context(_limit(database_url))
        revision = choice.against
        other = stack.enter_context(serving_revision(revision, database_url)) if revision else None
        stack.enter_context(writes_undone(database_url))
        for group in (READS, WRITES):
            targets = list(_targets(group, names, server, bare, database_url))
            if revision and other:
                targets += [
                    Target(name_at(name, revision), other, group[name](other, database_url))
                    for name in names
                    if name in group
                ]
            if targets:
                found.rounds |= measure(targets, database_url, choice.rounds, choice.seconds)
    return found


def _targets(
    group: Mapping[str, Workload],
    names: Sequence[str],
    server: Served,
    bare: Served,
    database_url: str,
) -> Iterator[Target]:
    for name in names:
        if name in group:
            if name in _LIMITS:
                yield Target(limit_of(name), bare, _LIMITS[name](server, database_url))
            yield Target(name, server, group[name](server, database_url))


def limit_of(name: str) -> str:
    """What the bare application is called that does the same as that workload."""
    return f"the limit of {name}"


@contextmanager
def _limit(database_url: str) -> Iterator[Served]:
    settings = {**os.environ, "DATABASE_URL": database_url}
    with served([sys.executable, "-m", "bench.limit"], settings) as bare:
        yield bare


def _feed(server: Served, _: str) -> Sequence[Request]:
    return [Request(f"/feeds?me={member.id}", {}) for member in readers(server)]


def _like(server: Served, database_url: str) -> Sequence[Request]:
    members, posts = writers(server), posts_to_like(database_url)
    return [
        Request(f"/posts/{post}/like?me={member.id}", {}, method)
        for method in ("POST", "DELETE")
        for member, post in zip(members, posts, strict=True)
    ]


_LIMITS: Mapping[str, Callable[[Served, str], Sequence[Request]]] = {"feed": _feed, "like": _like}
