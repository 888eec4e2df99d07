"""What dependencies must be, whoever wrote them."""

import inspect
from collections.abc import Iterator

from fastapi.dependencies.models import Dependant

from wxc.app import _routes


def _all_below(dependant: Dependant) -> Iterator[Dependant]:
    for one in dependant.dependencies:
        yield one
        yield from _all_below(one)


def test_no_dependency_and_no_handler_is_sent_to_a_thread() -> None:
    """FastAPI does that with plain functions: it takes longer than all that ours do."""
    for route in _routes():
        for one in (route.dependant, *_all_below(route.dependant)):
            call = one.call
            is_at_once = inspect.iscoroutinefunction(call) or inspect.isasyncgenfunction(call)
            assert is_at_once, f"{route.path}: {call}"
