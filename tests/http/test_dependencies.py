import inspect
from collections.abc import Iterator

from fastapi.dependencies.models import Dependant

from wxc.app import _routes


def _descendants(dependant: Dependant) -> Iterator[Dependant]:
    for one in dependant.dependencies:
        yield one
        yield from _descendants(one)


def test_dependencies_and_handlers_are_coroutine_functions() -> None:
    """FastAPI runs plain functions in a thread, which takes longer than any dependency here."""
    for route in _routes():
        for one in (route.dependant, *_descendants(route.dependant)):
            call = one.call
            is_async = inspect.iscoroutinefunction(call) or inspect.isasyncgenfunction(call)
            assert is_async, f"{route.path}: {call}"
