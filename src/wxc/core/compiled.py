"""Compiled statements, found without looking at all that the statement consists of."""

import weakref
from collections.abc import Mapping
from typing import Any, TypeVar

from sqlalchemy import Executable

E = TypeVar("E", bound=Executable)
_OPTION = "compiled_apart"
_NOWHERE: Mapping[str, Any] = {}
_MOST_FORMS = 8  # a process has an engine or two; in tests they come and go


class _Own:
    """What a statement holds among its execution options, which those made of it inherit."""

    def __init__(self) -> None:
        self.options: Mapping[str, Any] = {"compiled_cache": _OwnCache()}
        self.owner: weakref.ref[Executable] | None = None

    def is_of(self, statement: Executable) -> bool:
        """Whether it is the very one, and not made of it: the cache knows no difference."""
        return self.owner is not None and self.owner() is statement


class _OwnCache(dict[Any, Any]):
    """The compiled forms of one statement: of each dialect, and each set of parameters' names.

    SQLAlchemy's cache is that of all statements. It knows them by what they consist of, and to
    hash that costs 15 µs for a feed, each time.
    """

    def get(self, key: Any, default: Any = None) -> Any:  # noqa: ANN401 - what SQLAlchemy asks by
        return super().get(_beside_the_statement(key), default)

    def __setitem__(self, key: Any, compiled: Any) -> None:  # noqa: ANN401 - likewise
        if len(self) >= _MOST_FORMS:
            self.clear()
        super().__setitem__(_beside_the_statement(key), compiled)


def apart(statement: E) -> E:
    """The statement, with a cache of its own for whoever executes it by `compiled_apart`.

    It must be there for long: what is compiled lives as long as the statement.
    """
    own = _Own()
    made = statement.execution_options(**{_OPTION: own})
    own.owner = weakref.ref(made)
    return made


def compiled_apart(statement: Executable) -> Mapping[str, Any]:
    """The execution options that find its compiled form, if it has a cache of its own."""
    own: _Own | None = statement.get_execution_options().get(_OPTION)
    return own.options if own is not None and own.is_of(statement) else _NOWHERE


def _beside_the_statement(key: Any) -> Any:  # noqa: ANN401 - likewise
    dialect, _, *others = key
    return dialect, *others
