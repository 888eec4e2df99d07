"""The checkout and its state directory; locks and private files in it."""

import fcntl
import hashlib
import os
import pwd
import shutil
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from dev_tools.console import DevError


@dataclass(frozen=True)
class Checkout:
    """A working copy of the repository."""

    root: Path

    @property
    def bin(self) -> Path:
        """The folder of the virtual environment's commands."""
        return self.root / ".venv" / "bin"

    @property
    def uv(self) -> Path:
        """The uv that `./dev` installs for this checkout."""
        return self.root / ".dev" / "uv" / "bin" / "uv"


def this_checkout() -> Checkout:
    """Return the checkout that this file is part of."""
    return Checkout(Path(__file__).resolve().parents[1])


@dataclass(frozen=True)
class Account:
    """The system account that a service runs as."""

    uid: int
    gid: int


def service_account(name: str) -> Account | None:
    """Return the account to start a service with; None means the current user."""
    if os.geteuid() != 0:
        return None
    with suppress(KeyError):
        entry = pwd.getpwnam(name)
        return Account(entry.pw_uid, entry.pw_gid)
    return None


def state_path(root: Path, environ: Mapping[str, str]) -> Path:
    """Return the path of the state directory of a checkout, which may not exist yet."""
    if configured := environ.get("WXC_DEV_DIR"):
        return Path(configured).absolute()
    if os.geteuid() == 0:
        # PostgreSQL refuses to run as root, and its account cannot enter a checkout below /root.
        digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
        return Path("/var/tmp") / f"wxc-{digest}"  # noqa: S108 - ownership is checked below
    return root / ".dev" / "state"


def ensure_state_directory(root: Path, environ: Mapping[str, str]) -> Path:
    """Create the state directory if it is missing; raises `DevError` if another user owns it."""
    path = state_path(root, environ)
    try:
        path.mkdir(parents=True, exist_ok=True)
        info = path.lstat()
        if info.st_uid != os.geteuid() or not stat.S_ISDIR(info.st_mode):
            raise DevError(
                f"{path} belongs to another user. Remove it, "
                "or set WXC_DEV_DIR to a directory of your own."
            )
        path.chmod(0o711)  # the service accounts can enter it, but not list it
    except (PermissionError, FileExistsError) as error:
        raise DevError(
            f"Cannot use {path} ({error.strerror}). Did another user run ./dev before? "
            "Remove .dev and .venv, or set WXC_DEV_DIR to a directory of your own."
        ) from error
    return path


def create_service_folder(path: Path, account: Account | None) -> Path:
    """Create a folder that only the account of its service can read."""
    path.mkdir(mode=0o700)
    if account:
        os.chown(path, account.uid, account.gid)
    return path


def remove_folder(path: Path) -> None:
    """Remove a folder with its content; the next start removes what could not be removed."""
    shutil.rmtree(path, ignore_errors=True)


def write_private_file(path: Path, text: str, account: Account | None = None) -> None:
    """Write a file atomically, readable only by its owner."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        if account:
            os.fchown(descriptor, account.uid, account.gid)
    Path(name).replace(path)


@contextmanager
def file_lock(path: Path, *, shared: bool = False, blocking: bool = True) -> Iterator[bool]:
    """Hold a `flock`, which ends with its process; yields False if another process holds it."""
    mode = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if blocking else fcntl.LOCK_NB)
    with path.open("a") as file:
        try:
            fcntl.flock(file, mode)
            is_held = True
        except BlockingIOError:
            is_held = False
        yield is_held
