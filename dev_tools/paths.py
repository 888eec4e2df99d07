"""Where things are: the checkout, its state directory, and the locks and private files in it."""

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

from dev_tools.console import StackError


@dataclass(frozen=True)
class Checkout:
    """A working copy of the project."""

    root: Path

    @property
    def bin(self) -> Path:
        """The commands of its virtual environment."""
        return self.root / ".venv" / "bin"

    @property
    def uv(self) -> Path:
        """The uv that `./dev` has installed for it."""
        return self.root / ".dev" / "uv" / "bin" / "uv"


def this_checkout() -> Checkout:
    """Return the checkout that this file is part of."""
    return Checkout(Path(__file__).resolve().parents[1])


@dataclass(frozen=True)
class Account:
    """A system account that root lends to a service."""

    uid: int
    gid: int


def service_account(name: str) -> Account | None:
    """Return whom a service runs as; None is the account we have ourselves."""
    if os.geteuid() != 0:
        return None
    with suppress(KeyError):
        entry = pwd.getpwnam(name)
        return Account(entry.pw_uid, entry.pw_gid)
    return None


def state_path(root: Path, environ: Mapping[str, str]) -> Path:
    """Return where the engines of this checkout keep their state."""
    if chosen := environ.get("WXC_DEV_DIR"):
        return Path(chosen).absolute()
    if os.geteuid() == 0:
        # PostgreSQL does not run as root, and its account cannot enter a checkout below /root.
        digest = hashlib.sha256(os.fsencode(root)).hexdigest()[:12]
        return Path("/var/tmp") / f"wxc-{digest}"  # noqa: S108 - ownership is checked below
    return root / ".dev" / "state"


def state_directory(root: Path, environ: Mapping[str, str]) -> Path:
    """Return the state directory, made when it is not there; nobody else may own it."""
    path = state_path(root, environ)
    try:
        path.mkdir(parents=True, exist_ok=True)
        info = path.lstat()
        if info.st_uid != os.geteuid() or not stat.S_ISDIR(info.st_mode):
            raise StackError(
                f"{path} belongs to somebody else. Remove it, "
                "or set WXC_DEV_DIR to a directory of your own."
            )
        path.chmod(0o711)  # the accounts of the services pass through, but see nothing
    except (PermissionError, FileExistsError) as error:
        raise StackError(
            f"Cannot use {path} ({error.strerror}). Was ./dev run by another user before? "
            "Remove .dev and .venv, or set WXC_DEV_DIR to a directory of your own."
        ) from error
    return path


def make_folder(path: Path, account: Account | None) -> Path:
    """Make a folder that only its service can read."""
    path.mkdir(mode=0o700)
    if account:
        os.chown(path, account.uid, account.gid)
    return path


def remove_folder(path: Path) -> None:
    """Remove a folder and whatever is in it; what resists is removed at the next start."""
    shutil.rmtree(path, ignore_errors=True)


def write_private(path: Path, text: str, account: Account | None = None) -> None:
    """Write a file that only its owner can read, completely or not at all."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".new-")
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        if account:
            os.fchown(descriptor, account.uid, account.gid)
    Path(name).replace(path)


@contextmanager
def locked(path: Path, *, shared: bool = False, wait: bool = True) -> Iterator[bool]:
    """Hold a lock; yields False when someone else has it. It ends with its process, even killed."""
    how = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
    with path.open("a") as file:
        try:
            fcntl.flock(file, how)
            ours = True
        except BlockingIOError:
            ours = False
        yield ours
