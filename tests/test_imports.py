"""No import cycles. The import contracts of the layers are in pyproject.toml."""

from graphlib import CycleError, TopologicalSorter

import grimp
import pytest


def _imports() -> dict[str, set[str]]:
    graph = grimp.build_graph("wxc", exclude_type_checking_imports=True, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def test_there_are_no_import_cycles() -> None:
    order = [*TopologicalSorter(_imports()).static_order()]

    assert order.index("wxc.core.clock") < order.index("wxc.app") < order.index("wxc.cli.main")


def test_import_cycle_is_detected() -> None:
    imports = _imports()
    imports["wxc.core.clock"].add("wxc.app")

    with pytest.raises(CycleError):
        TopologicalSorter(imports).prepare()
