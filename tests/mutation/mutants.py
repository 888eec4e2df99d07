"""Mutants of a module, by the operators of cosmic-ray."""

import difflib
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.operators.operator import Operator
from cosmic_ray.plugins import get_operator, operator_names

from tests.mutation.operators import OURS

# The other swaps of operators are redundant, or always raise TypeError.
_USEFUL_SWAPS = {
    *("Eq_NotEq", "NotEq_Eq", "Is_IsNot", "IsNot_Is"),
    *("Lt_LtE", "Lt_GtE", "LtE_Lt", "LtE_Gt", "Gt_GtE", "Gt_LtE", "GtE_Gt", "GtE_Lt"),
    *("Add_Sub", "Sub_Add", "Mul_Add", "Mul_FloorDiv", "FloorDiv_Mul", "Div_Mul", "Div_FloorDiv"),
    *("Mod_Mul", "Pow_Mul", "LShift_RShift", "RShift_LShift"),
    *("BitOr_BitAnd", "BitAnd_BitOr", "BitXor_BitOr"),
    *("USub_UAdd", "Delete_USub", "Delete_Not", "Delete_Invert"),
}
_EXCLUDED = {"core/VariableReplacer", "core/VariableInserter"}  # these need names of variables


@dataclass(frozen=True)
class Mutant:
    """One change of one module."""

    module: str
    """Its dotted name."""
    operator: str
    occurrence: int
    source: str
    change: str
    """The removed (`-`) and added (`+`) lines."""

    @property
    def id(self) -> str:
        """Depends on the changed lines and their number only."""
        text = f"{self.module} {self.operator} {self.change}"
        return hashlib.sha256(text.encode()).hexdigest()[:8]

    def __str__(self) -> str:
        return f"{self.id} {self.module} {self.operator.rpartition('/')[2]}\n{self.change}"


def mutants_of(module: str, path: Path) -> Iterator[Mutant]:
    """All distinct mutants of the module."""
    original, seen = path.read_text(), set()
    tree = get_ast(original)
    operators = {name: get_operator(name) for name in operator_names() if _is_useful(name)}
    for name, make in (operators | OURS).items():
        operator = make()
        count = sum(len(list(operator.mutation_positions(node))) for node in ast_nodes(tree))
        for occurrence in range(count):
            source = _mutated(original, operator, occurrence)
            if source is not None and source != original and source not in seen:
                seen.add(source)
                yield Mutant(module, name, occurrence, source, _change(original, source))


def _mutated(original: str, operator: Operator, occurrence: int) -> str | None:
    try:
        return mutate_code(original, operator, occurrence)
    except AttributeError:  # ExceptionReplacer does not support exceptions with dotted names
        return None


def _is_useful(name: str) -> bool:
    if name in _EXCLUDED:
        return False
    _, is_swap, swap = name.partition("Operator_")
    return not is_swap or swap in _USEFUL_SWAPS


def _change(original: str, source: str) -> str:
    lines = difflib.unified_diff(original.splitlines(), source.splitlines(), lineterm="", n=0)
    start, *changed = [line for line in lines if not line.startswith(("---", "+++"))]
    number = start.split()[1].lstrip("-").partition(",")[0]
    return "\n".join([f"line {number}", *changed])
