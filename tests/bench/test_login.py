"""The bench of row 31 measures what it says, and can fail."""

import json
from collections.abc import Iterator

import pytest

from bench import login, settings
from bench.login import Comparison
from wxc.core.config import Config


@pytest.fixture
def _engines(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", config.database_url)
    monkeypatch.setenv("REDIS_URL", config.redis_url)


@pytest.mark.usefixtures("_engines")
def test_it_measures_a_server_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    code = login.main(["--pairs", "3", "--bound", "1000", "--json"])

    found = json.loads(capfd.readouterr().out)
    assert code == 0
    assert [one["what"] for one in found] == ["POST /login", "POST /request-password-reset"]
    for one in found:
        assert one["pairs"] == 3
        assert 0 < one["known"] < 5000
    assert found[0]["unknown"] > 5, "an unknown name pays for Argon2 with production's parameters"


@pytest.mark.parametrize(
    ("known", "code", "said"), [(51.0, 0, "+2.00 %"), (60.0, 1, "+20.00 %  more than 5 %")]
)
def test_a_difference_beyond_the_bound_is_said_and_is_a_failure(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    known: float,
    code: int,
    said: str,
) -> None:
    monkeypatch.setattr(login, "serving", _Nothing)
    monkeypatch.setattr(login, "_send", lambda *_: None)
    monkeypatch.setattr(login, "_compare", lambda what, *_: Comparison(what, 300, known, 50.0))

    assert login.main([]) == code

    for line in capsys.readouterr().out.splitlines()[1:]:
        assert line.endswith(said)


def test_within_a_pair_the_two_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    clock = iter(range(10_000))
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))

    found = login._compare("", lambda _, name: asked.append(name), None, 4)  # type: ignore[arg-type]

    members = [number % 2 for number, name in enumerate(asked) if not name.startswith("nobody")]
    assert members == [0, 1] * 12 or members == [1, 0] * 12
    assert len(asked) == 2 * (20 + 4)
    assert found == Comparison("", 4, 1000, 1000)


def test_every_limit_there_is_is_out_of_the_way() -> None:
    limits = {name for name in Config.model_fields if name.startswith("limit_")}

    assert {name.lower() for name in settings._no_limits()} == limits


class _Nothing:
    def __enter__(self) -> Iterator[None]:
        return iter(())

    def __exit__(self, *_: object) -> None:
        pass
