"""Dangerous functions and features that neither the package nor its scripts use."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "src/wxc").rglob("*.py"))
PAGE = ROOT / "src/wxc/docs_pages/templates/docs.html"
PAGE_SCRIPT = ROOT / "src/wxc/docs_pages/assets/docs.js"
SCRIPTS = [PAGE_SCRIPT, *sorted((ROOT / "clients/typescript/src").glob("*.ts"))]
# Unsafe deserialisers, parsers of XML and YAML, HTTP clients, other data stores, WebSockets.
ABSENT_MODULES = """
    pickle marshal shelve dill jsonpickle xml lxml defusedxml yaml ldap ldap3
    httpx requests aiohttp urllib.request urllib3 http.client ftplib
    pymemcache aiomcache graphene strawberry ariadne websockets wsproto
"""
HTML_SINKS = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|dangerouslySetInnerHTML"
BROWSER_STORAGE = r"localStorage|sessionStorage|indexedDB|document\.cookie"


def _imported(path: Path) -> set[str]:
    """The imported modules and the packages that contain them."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name.rsplit(".", depth)[0] for name in names for depth in range(name.count(".") + 1)}


def test_package_imports_no_unsafe_parser_and_no_http_client() -> None:
    absent = set(ABSENT_MODULES.split())

    assert {path.name: names for path in SOURCES if (names := _imported(path) & absent)} == {}


def test_package_never_runs_text_as_code() -> None:
    called = {
        node.func.id
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }

    assert not {"eval", "exec", "compile", "__import__"} & called


def test_package_uses_no_outdated_hash() -> None:
    assert not [path.name for path in SOURCES if re.search(r"\bmd5\b|\bsha1\b", path.read_text())]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_insert_text_and_never_html(path: Path) -> None:
    assert not re.findall(rf"{HTML_SINKS}|\beval\(|new Function\(", path.read_text())


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_store_nothing_in_the_browser(path: Path) -> None:
    assert not re.findall(BROWSER_STORAGE, path.read_text())


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_assign_no_property_whose_name_is_data(path: Path) -> None:
    assert not re.findall(r"\w\[[^\]\"]+\] = |__proto__", path.read_text())


def test_password_field_is_masked_and_accepts_password_managers() -> None:
    (field,) = re.findall(r"<input [^>]*name=\"password\"[^>]*>", PAGE.read_text())

    assert 'type="password"' in field
    assert 'autocomplete="current-password"' in field
    assert "paste" not in field + PAGE_SCRIPT.read_text()


def test_documentation_page_offers_to_log_out() -> None:
    assert re.search(r'<form id="log-out".*<button>Log out</button>', PAGE.read_text(), re.S)
