import os
import pwd
from pathlib import Path

import pytest

from dev_tools import paths
from dev_tools.console import DevError


def test_wxc_dev_dir_sets_the_state_directory(tmp_path: Path) -> None:
    assert paths.state_path(tmp_path, {"WXC_DEV_DIR": "/somewhere"}) == Path("/somewhere")


def test_the_state_of_an_ordinary_user_is_in_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    assert paths.state_path(tmp_path, {}) == tmp_path / ".dev" / "state"


def test_the_state_of_root_is_accessible_to_service_accounts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)

    one = paths.state_path(tmp_path / "one", {})
    two = paths.state_path(tmp_path / "two", {})

    assert one.parent == two.parent
    assert tmp_path not in one.parents
    assert one != two


def test_a_state_directory_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_uid = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: other_uid)

    with pytest.raises(DevError, match="belongs to another user"):
        paths.ensure_state_directory(tmp_path, {"WXC_DEV_DIR": str(tmp_path / "state")})


def test_a_state_directory_behind_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")

    with pytest.raises(DevError, match="belongs to another user"):
        paths.ensure_state_directory(tmp_path, {"WXC_DEV_DIR": str(tmp_path / "link")})


def test_a_state_directory_that_cannot_be_created_is_explained(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file is in the way")

    with pytest.raises(DevError, match="Cannot use"):
        paths.ensure_state_directory(tmp_path, {"WXC_DEV_DIR": str(tmp_path / "state")})


def test_an_exclusive_lock_has_one_holder(tmp_path: Path) -> None:
    path = tmp_path / "lock"

    with paths.file_lock(path) as first, paths.file_lock(path, blocking=False) as second:
        assert (first, second) == (True, False)

    with paths.file_lock(path, blocking=False) as afterwards:
        assert afterwards


def test_a_shared_lock_has_many_holders(tmp_path: Path) -> None:
    path = tmp_path / "lock"

    with (
        paths.file_lock(path, shared=True) as first,
        paths.file_lock(path, shared=True, blocking=False) as second,
        paths.file_lock(path, blocking=False) as exclusive,
    ):
        assert (first, second, exclusive) == (True, True, False)


def test_a_private_file_is_readable_by_its_owner_only(tmp_path: Path) -> None:
    paths.write_private_file(tmp_path / "file", "secret")

    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_only_root_uses_service_accounts(monkeypatch: pytest.MonkeyPatch) -> None:
    name = pwd.getpwuid(os.getuid()).pw_name

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert paths.service_account(name) == paths.Account(os.getuid(), os.getgid())
    assert paths.service_account("no-such-account") is None

    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert paths.service_account(name) is None
