"""Rules for every route, refusal, setting and module."""

import ast
import html
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute
from pydantic import BaseModel

from tests.hostile.corpus import Operation, document, operations
from tests.support.browser import Browser
from wxc.accounts.auth.dependencies import maybe_user
from wxc.accounts.auth.usernames import is_reserved
from wxc.app import ROUTERS
from wxc.core.config import Config
from wxc.db.dependencies import open_session
from wxc.http.compiled_route import CompiledRoute
from wxc.http.dependencies import refuse_unknown_parameters
from wxc.http.openapi.declarations import raised_by
from wxc.http.openapi.refusals import TRANSPORT, codes_of
from wxc.http.refusals.base import all_refusals
from wxc.http.steps import calls_of

ROOT = Path(__file__).parents[1]
DEV_TOOLS = sorted((ROOT / "dev_tools").rglob("*.py"))
SOURCES = [*sorted((ROOT / "src" / "wxc").rglob("*.py")), *DEV_TOOLS]
MAX_HANDLER_STATEMENTS = 5
Function = ast.FunctionDef | ast.AsyncFunctionDef


def _routes(router: APIRouter) -> Iterator[APIRoute]:
    yield from (route for route in router.routes if isinstance(route, APIRoute))


ROUTES = [route for router in ROUTERS for route in _routes(router)]
DOCUMENTED = [route for route in ROUTES if route.include_in_schema]


def _name(value: APIRoute | Path) -> str:
    return value.name if isinstance(value, APIRoute) else str(value.relative_to(ROOT))


def _functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, Function):
            yield node


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    """The models in an annotation, and recursively those of their fields."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from _models(field.annotation)
    for argument in get_args(annotation):
        yield from _models(argument)


@pytest.mark.parametrize("route", DOCUMENTED, ids=_name)
def test_every_route_has_a_tag_a_summary_and_a_response_model(route: APIRoute) -> None:
    assert len(route.tags) == 1
    assert route.summary
    assert route.summary[0].isupper()
    assert not route.summary.endswith(".")
    assert route.description
    assert route.status_code == 204 or route.response_model is not None or route.is_sse_stream
    for method in route.methods or ():
        declared = document()["paths"][route.path][method.lower()]
        assert declared["operationId"] == f"{route.tags[0]}_{route.name}"


@pytest.mark.parametrize("operation", operations(), ids=str)
def test_every_operation_documents_its_refusals_by_code(operation: Operation) -> None:
    refusals = {
        status: one for status, one in operation.declared["responses"].items() if status >= "4"
    }
    codes = {
        status: list(one["content"]["application/problem+json"]["examples"])
        for status, one in refusals.items()
    }

    assert refusals or operation.path == "/livez", "no documented refusal"
    default = codes.pop("default")
    assert {all_refusals()[code] for code in default} == set(TRANSPORT)
    for status, listed in codes.items():
        assert {str(all_refusals()[code].status) for code in listed} == {status}
    if operation.takes_token:
        assert "invalid_token" in codes["400"]
    elif operation.parameters("path"):
        assert "404" in codes


@pytest.mark.parametrize("operation", operations(), ids=str)
def test_every_operation_is_named_in_a_test_of_its_own_feature(operation: Operation) -> None:
    pattern = re.sub(r"\\\{\w+\\\}", r"[^/\\s]+", re.escape(operation.path)) + r"[\"'?]"
    tests = [path for path in (ROOT / "tests").rglob("test_*.py") if "hostile" not in path.parts]
    calls = {"GET": r"\bget\(", "POST": r"\bpost\(", "PUT": r"\bput\(", "DELETE": r"\bdelete\("}
    helpers = {"/login": r"\blog_in\("}
    call = re.compile(
        rf"({calls[operation.method]}|\"{operation.method}\",)\s*f?[\"'](http://[^/]+)?{pattern}"
        rf"|{helpers.get(operation.path, '(?!)')}"
    )

    assert any(call.search(path.read_text()) for path in tests), (
        f"{operation.method} {operation.path}"
    )


@pytest.mark.parametrize("route", DOCUMENTED, ids=_name)
def test_response_models_have_no_defaults(route: APIRoute) -> None:
    for model in _models(route.response_model):
        for name, field in model.model_fields.items():
            assert field.is_required(), f"{model.__name__}.{name} would be optional for clients"


@pytest.mark.parametrize("route", DOCUMENTED, ids=_name)
def test_routes_do_not_repeat_refusals_of_their_dependencies(route: APIRoute) -> None:
    declared = {refusal.code() for refusal in raised_by(route.dependant)}
    own = {code for response in route.responses.values() for code in codes_of(response)}

    assert not declared & own


def test_operation_ids_are_unique() -> None:
    ids = [str(operation) for operation in operations()]

    assert len(ids) == len(set(ids)) == len(DOCUMENTED)


def test_first_segment_of_every_route_is_no_available_username() -> None:
    for route in ROUTES:
        first = route.path.split("/")[1]
        could_be_a_name = re.fullmatch(r"[A-Za-z0-9_]{3,30}", first)
        assert not could_be_a_name or is_reserved(first), first


@pytest.mark.parametrize("code", sorted(all_refusals()))
async def test_every_refusal_has_a_documentation_page(code: str, stranger: Browser) -> None:
    refusal = all_refusals()[code]
    page = await stranger.get(document()["components"]["examples"][code]["value"]["type"])
    index = await stranger.get("/docs/errors")
    text = html.unescape(re.sub(r"</?code>", "`", page.text))

    assert page.status_code == 200
    assert f"<code>{code}</code>" in page.text
    assert f">{refusal.status} " in page.text
    assert refusal.detail() in text
    assert refusal.help()
    assert refusal.help() in text
    assert f'href="/docs/errors/{code}"' in index.text


def test_every_refusal_has_an_example_with_a_sentence_as_detail() -> None:
    examples: dict[str, Any] = document()["components"]["examples"]

    assert examples.keys() == all_refusals().keys()
    for code, refusal in all_refusals().items():
        assert examples[code]["value"]["detail"] == refusal.detail()
        assert re.fullmatch(r"[A-Z].*[.!]", refusal.detail()), code


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_no_source_uses_banned_names_or_file_names(path: Path) -> None:
    names = {
        node.id
        if isinstance(node, ast.Name)
        else node.attr
        if isinstance(node, ast.Attribute)
        else ""
        for node in ast.walk(ast.parse(path.read_text()))
    }
    imported = {
        alias.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom | ast.Import)
        for alias in node.names
    }

    assert not {"BaseHTTPMiddleware", "TestClient"} & (names | imported)
    assert "fastapi._compat" not in path.read_text()
    assert not {"utils", "helpers", "common", "constants", "types"} & {path.stem, path.parent.name}


@pytest.mark.parametrize("path", [path for path in SOURCES if path.stem == "router"], ids=_name)
def test_handlers_have_a_docstring_and_at_most_five_statements(path: Path) -> None:
    for function in _functions(path):
        statements = [node for node in ast.walk(function) if isinstance(node, ast.stmt)]
        count = len(statements) - 2  # the function itself and its docstring
        assert ast.get_docstring(function), function.name
        assert count <= MAX_HANDLER_STATEMENTS, f"{function.name} has {count} statements"


@pytest.mark.parametrize("path", SOURCES, ids=_name)
def test_include_router_gets_only_a_router(path: Path) -> None:
    """Compiled routes do not see other arguments and would skip such dependencies."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("include_router"):
            assert len(node.args) == 1
            assert not node.keywords


@pytest.mark.parametrize("router", ROUTERS, ids=lambda router: router.tags[0])
def test_every_router_is_created_by_make_router(router: APIRouter) -> None:
    assert router.routes
    assert all(isinstance(route, CompiledRoute) for route in router.routes)
    assert [one.dependency for one in router.dependencies] == [refuse_unknown_parameters]


@pytest.mark.parametrize("router", ROUTERS, ids=lambda router: router.tags[0])
def test_authentication_comes_before_the_transaction(router: APIRouter) -> None:
    """Otherwise an anonymous request holds a connection, and looking up a session takes another."""
    for route in router.routes:
        assert isinstance(route, CompiledRoute)
        calls = calls_of(route.dependant)
        if open_session in calls and maybe_user in calls:
            assert calls.index(maybe_user) < calls.index(open_session), route.path


@pytest.mark.parametrize("path", DEV_TOOLS, ids=_name)
def test_development_tools_import_only_the_standard_library(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
            assert node.level == 0
        else:
            continue
        for module in modules:
            is_own = module.split(".")[0] == "dev_tools"
            assert is_own or module.split(".")[0] in sys.stdlib_module_names, module


def test_env_example_lists_exactly_the_settings() -> None:
    example = (ROOT / ".env.example").read_text()
    listed = set(re.findall(r"^#?\s?([A-Z][A-Z0-9_]*)=", example, re.M))

    assert listed == {name.upper() for name in Config.model_fields}


def test_client_lock_has_no_registry_addresses() -> None:
    package = ROOT / "clients" / "typescript"
    lock = json.loads((package / "package-lock.json").read_text())
    declared = json.loads((package / "package.json").read_text())
    versions = [*declared["dependencies"].values(), *declared["devDependencies"].values()]

    assert "omit-lockfile-registry-resolved=true" in (package / ".npmrc").read_text()
    assert all(re.fullmatch(r"[0-9.]+", version) for version in versions)
    for name, entry in lock["packages"].items():
        assert "resolved" not in entry, name
        assert name == "" or entry["integrity"].startswith("sha512-"), name


def test_requirement_locks_have_no_addresses_or_paths() -> None:
    locks = sorted(ROOT.glob("requirements*.lock"))

    assert len(locks) >= 2
    for lock in locks:
        pins = [line for line in lock.read_text().splitlines() if not line.lstrip().startswith("#")]
        assert pins
        for line in pins:
            assert "://" not in line, line
            assert not re.search(r"(^|\s)[./~]|[A-Za-z]:\\|/", line.split("--hash")[0]), line
