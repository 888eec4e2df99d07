import json
from collections.abc import Iterator

import pytest
from tests.support.database import owner_url

from bench import login, settings
from bench.login import Comparison
from wxc.core.config import Config


@pytest.fixture
def _engines(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", owner_url(config.database_url))
    monkeypatch.setenv("REDIS_URL", config.redis_url)


@pytest.mark.usefixtures("_engines")
def test_the_bench_measures_a_server_that_it_starts(capfd: pytest.CaptureFixture[str]) -> None:
    code = login.main(["--pairs", "3", "--bound", "1000", "--json"])

    comparisons = json.loads(capfd.readouterr().out)
    assert code == 0
    assert [comparison["what"] for comparison in comparisons] == [
        "POST /login",
        "POST /request-password-reset",
    ]
    for comparison in comparisons:
        assert comparison["pairs"] == 3
        assert 0 < comparison["known"] < 5000
    assert comparisons[0]["unknown"] > 5, (
        "Argon2 is computed for an unknown name, with the parameters of production"
    )


@pytest.mark.parametrize(
    ("known", "code", "output"), [(51.0, 0, "+2.00 %"), (60.0, 1, "+20.00 %  more than 5 %")]
)
def test_a_difference_beyond_the_bound_is_reported_and_fails(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    known: float,
    code: int,
    output: str,
) -> None:
    monkeypatch.setattr(login, "serve_empty", _Nothing)
    monkeypatch.setattr(login, "_send", lambda *_: None)
    monkeypatch.setattr(login, "_compare", lambda what, *_: Comparison(what, 300, known, 50.0))

    assert login.main([]) == code

    for line in capsys.readouterr().out.splitlines()[1:]:
        assert line.endswith(output)


def test_the_order_within_a_pair_alternates(monkeypatch: pytest.MonkeyPatch) -> None:
    requested: list[str] = []
    clock = iter(range(10_000))
    monkeypatch.setattr("time.perf_counter", lambda: next(clock))

    comparison = login._compare("", lambda _, name: requested.append(name), None, 4)  # type: ignore[arg-type]

    members = [number % 2 for number, name in enumerate(requested) if not name.startswith("nobody")]
    assert members == [0, 1] * 12 or members == [1, 0] * 12
    assert len(requested) == 2 * (20 + 4)
    assert comparison == Comparison("", 4, 1000, 1000)


def test_every_rate_limit_is_lifted() -> None:
    limits = {name for name in Config.model_fields if name.startswith("limit_")}

    assert {name.lower() for name in settings._no_limits()} == limits


class _Nothing:
    def __enter__(self) -> Iterator[None]:
        return iter(())

    def __exit__(self, *_: object) -> None:
        pass
