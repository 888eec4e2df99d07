"""Bounds on the size of files and functions (docs/decisions/0001)."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE_FOLDERS = ("src", "dev_tools", "bench")
MAX_LINES = {
    "router": 150,
    "service": 200,
    "repository": 250,
    "schemas": 150,
    "models": 100,
    "tests": 350,
    "other": 300,
}
MAX_FUNCTION_LINES = 40
MAX_PARAMETERS = 6
MAX_NESTING = 2

# Exceptions with their size. They may shrink or be removed; none may grow or be added.
FILE_EXCEPTIONS: dict[str, int] = {}
PARAMETER_EXCEPTIONS: dict[str, int] = {
    "src/wxc/accounts/auth/router.py:log_in": 7,
}
NESTING_EXCEPTIONS: dict[str, int] = {
    "bench/load.py:measure": 3,
    "bench/machine.py:pin": 3,
    "bench/server.py:_wait_until_healthy": 3,
    "bench/server.py:start_server": 3,
    "bench/throughput.py:_load_tests": 3,
    "bench/throughput.py:throughput": 3,
    "src/wxc/db/migrations.py:retry_when_locked": 3,
    "src/wxc/exchange/search/dependencies.py:_area": 3,
    "src/wxc/exchange/search/dependencies.py:_search_conversion": 3,
    "src/wxc/exchange/stream/service.py:board_events": 3,
}

Function = ast.FunctionDef | ast.AsyncFunctionDef
_BLOCKS = (
    ast.If,
    ast.For,
    ast.AsyncFor,
    ast.While,
    ast.With,
    ast.AsyncWith,
    ast.Try,
    ast.Match,
)


def test_files_are_within_the_bound_of_their_kind() -> None:
    sizes = {}
    for path in _python_files(*SOURCE_FOLDERS, "tests"):
        lines = len(path.read_text().splitlines())
        if lines > MAX_LINES[_kind(path)]:
            sizes[_name(path)] = lines

    assert _unexpected(sizes, FILE_EXCEPTIONS) == {}


def test_functions_have_at_most_40_lines() -> None:
    sizes = {name: _length(function) for name, function in _functions()}

    assert {name: size for name, size in sizes.items() if size > MAX_FUNCTION_LINES} == {}


def test_functions_have_at_most_six_parameters() -> None:
    """Prepared queries are exempt: each parameter is a bind parameter."""
    sizes = {
        name: size
        for name, function in _functions()
        if (size := _parameters(function)) > MAX_PARAMETERS and not _is_prepared(function)
    }

    assert _unexpected(sizes, PARAMETER_EXCEPTIONS) == {}


def test_blocks_are_nested_at_most_twice() -> None:
    sizes = {
        name: size for name, function in _functions() if (size := _nesting(function)) > MAX_NESTING
    }

    assert _unexpected(sizes, NESTING_EXCEPTIONS) == {}


def _unexpected(sizes: dict[str, int], exceptions: dict[str, int]) -> dict[str, str]:
    """Sizes over their exception, and exceptions that are no longer needed."""
    found = {name: str(size) for name, size in sizes.items() if size > exceptions.get(name, 0)}
    return found | dict.fromkeys(exceptions.keys() - sizes.keys(), "needs no exception")


def _python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _kind(path: Path) -> str:
    """The tier of a file: its name, or that of one of its packages."""
    names = {*path.relative_to(ROOT).parts[:-1], path.stem}
    if "tests" in names:
        return "tests"
    return next((kind for kind in MAX_LINES if kind in names), "other")


def _functions() -> Iterator[tuple[str, Function]]:
    for path in _python_files(*SOURCE_FOLDERS):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, Function):
                yield f"{_name(path)}:{node.name}", node


def _length(function: Function) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def _parameters(function: Function) -> int:
    arguments = function.args
    names = [each.arg for each in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return len(names) - (names[:1] in (["self"], ["cls"]))


def _is_prepared(function: Function) -> bool:
    return any("prepared" in ast.unparse(decorator) for decorator in function.decorator_list)


def _nesting(node: ast.AST, depth: int = 0) -> int:
    """The depth of nested blocks, without inner functions, which are counted separately."""
    children = [child for child in ast.iter_child_nodes(node) if not isinstance(child, Function)]
    depths = [_nesting(child, depth + _opens_block(node, child)) for child in children]
    return max([depth, *depths])


def _opens_block(parent: ast.AST, child: ast.AST) -> bool:
    """Whether the child is a nested block; `elif` is not."""
    is_elif = isinstance(parent, ast.If) and parent.orelse == [child] and isinstance(child, ast.If)
    return isinstance(child, _BLOCKS) and not is_elif
