"""Operators that cosmic-ray lacks: they remove statements and returned values."""

from collections.abc import Iterator
from typing import Any

import parso
from cosmic_ray.operators.operator import Operator

Position = tuple[tuple[int, int], tuple[int, int]]


class _Replacement(Operator):
    """Replaces whole nodes with `code`."""

    code: str

    def mutation_positions(self, node: Any) -> Iterator[Position]:
        if self.is_replaceable(node):
            yield (node.start_pos, node.end_pos)

    def mutate(self, node: Any, index: int) -> Any:
        """Keep the white space before the node."""
        (new, *_) = parso.parse(self.code).children
        new.get_first_leaf().prefix = node.get_first_leaf().prefix
        return new

    @classmethod
    def examples(cls) -> tuple[()]:
        return ()

    def is_replaceable(self, node: Any) -> bool:
        raise NotImplementedError


class DropStatement(_Replacement):
    """`raise Refusal` or `self._send(mail)` becomes `pass`."""

    code = "pass"

    def is_replaceable(self, node: Any) -> bool:
        parent = getattr(node.parent, "type", None)
        if node.type == "raise_stmt" or (node.type == "keyword" and node.value == "raise"):
            return bool(parent == "simple_stmt")
        is_call = node.type in ("atom_expr", "await_expr") and node.children[-1].type == "trailer"
        return bool(is_call and parent == "simple_stmt")


class ReturnNothing(_Replacement):
    """`return found` becomes `return None`."""

    code = "return None"

    def is_replaceable(self, node: Any) -> bool:
        return bool(node.type == "return_stmt" and node.get_code().strip() != "return None")


OURS = {f"wxc/{operator.__name__}": operator for operator in (DropStatement, ReturnNothing)}
