import http.client
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from dev_tools import serving
from dev_tools.__main__ import main
from dev_tools.console import DevError
from dev_tools.paths import Checkout, file_lock
from dev_tools.ports import LOOPBACK, find_free_port
from dev_tools.processes import read_facts, wait_until
from dev_tools.signals import ShutdownSignals

Serve = Callable[..., tuple[int, str]]


def is_served(port: int) -> bool:
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


@pytest.fixture
def serve(checkout: Checkout, environ: dict[str, str], capfd: pytest.CaptureFixture[str]) -> Serve:
    """Runs until the banner is printed and `meanwhile` has returned, then sends SIGINT."""

    def run(*arguments: str, meanwhile: Callable[[], object] = lambda: None) -> tuple[int, str]:
        port = find_free_port()
        shown: list[str] = []
        ended = threading.Event()

        def interrupt() -> None:
            wait_until(lambda: ended.is_set() or is_served(port), 20)
            wait_until(lambda: ended.is_set() or "Stop " in "".join([*shown, *read()]), 5)
            wait_until(lambda: ended.is_set() or "worker" in calls(checkout), 5)
            if not ended.is_set():
                meanwhile()
                os.kill(os.getpid(), signal.SIGINT)

        def read() -> list[str]:
            shown.extend(capfd.readouterr())
            return shown

        interrupter = threading.Thread(target=interrupt)
        interrupter.start()
        code = main(["run", "--port", str(port), *arguments], environ, checkout)
        ended.set()
        interrupter.join()
        return code, "".join(read())

    return run


def calls(checkout: Checkout) -> list[str]:
    lines = (checkout.root / "calls").read_text().splitlines()
    return [line.partition(" --host")[0] for line in lines]


def test_run_prepares_serves_prints_the_address_and_stops_cleanly(
    checkout: Checkout, serve: Serve, state: Path
) -> None:
    (state / "prepared.json").unlink(missing_ok=True)
    code, shown = serve()

    assert code == 0
    assert "WXC Social is running" in shown
    assert "anna / secret" in shown
    assert sorted(calls(checkout)) == [
        "demo --if-empty",
        "demo --logins",
        "migrate",
        "serve",
        "worker",
    ]
    assert not (state / "dev.json").exists()


def test_run_prints_one_progress_line_for_each_step(serve: Serve, state: Path) -> None:
    serve()  # creates the cluster
    (state / "prepared.json").unlink()

    _, first = serve()
    _, warm = serve()

    assert _lines_before_banner(first) == [
        "Starting PostgreSQL and Redis ...",
        "Migrating the database ...",
        "Adding the demo data ...",
        "Starting the server and the worker ...",
    ]
    assert _lines_before_banner(warm) == [
        "Starting PostgreSQL and Redis ...",
        "Starting the server and the worker ...",
    ]
    assert "40 posts" not in first


def _lines_before_banner(shown: str) -> list[str]:
    return [line for line in shown.splitlines() if line and not line.startswith("  ")][:-1]


def test_every_process_of_a_run_gets_the_published_host(checkout: Checkout, serve: Serve) -> None:
    serve()

    assert set((checkout.root / "hosts").read_text().split()) == {LOOPBACK}


def test_a_warm_run_skips_migrations_and_demo_data(checkout: Checkout, serve: Serve) -> None:
    serve()
    (checkout.root / "calls").unlink()

    serve()

    assert sorted(calls(checkout)) == ["demo --logins", "serve", "worker"]


def test_a_new_migration_is_applied(checkout: Checkout, serve: Serve) -> None:
    serve()
    (checkout.root / "alembic" / "b.py").write_text("revision = 'b'")
    (checkout.root / "calls").unlink()

    serve()

    assert "migrate" in calls(checkout)


def test_demo_data_can_be_turned_off(
    checkout: Checkout, serve: Serve, environ: dict[str, str], state: Path
) -> None:
    (state / "prepared.json").unlink(missing_ok=True)
    environ["DEMO_DATA"] = "false"

    serve()

    assert not any(call.startswith("demo") for call in calls(checkout))


def test_a_second_run_is_refused_with_the_address_of_the_first(
    checkout: Checkout,
    serve: Serve,
    environ: dict[str, str],
    state: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    refusals = []

    def run_again() -> None:
        with pytest.raises(DevError) as refusal:
            serving.run(serving.Options(), checkout, environ)
        refusals.append(str(refusal.value))
        refusals.append(read_facts(state / "dev.json")["url"])

    serve(meanwhile=run_again)

    assert refusals[0].endswith(refusals[1])


def test_a_run_is_refused_while_another_command_uses_the_engines(
    checkout: Checkout,
    environ: dict[str, str],
    state: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    with file_lock(state / "dev.lock"):
        assert main(["run"], environ, checkout) == 1

    assert "in use by another ./dev" in capfd.readouterr().err


@pytest.mark.parametrize(("file", "name"), [("dies", "server"), ("worker dies", "worker")])
def test_a_run_ends_if_the_server_or_the_worker_ends(
    checkout: Checkout,
    environ: dict[str, str],
    capfd: pytest.CaptureFixture[str],
    file: str,
    name: str,
) -> None:
    (checkout.root / file).touch()

    assert main(["run"], environ, checkout) == 1

    assert f"The {name} ended unexpectedly (exit code 0)" in capfd.readouterr().err


def test_a_failed_migration_ends_the_run(
    checkout: Checkout, environ: dict[str, str], state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (state / "prepared.json").unlink(missing_ok=True)
    (checkout.root / "broken").touch()

    assert main(["run"], environ, checkout) == 1

    assert "`wxc migrate` failed" in capfd.readouterr().err


def test_failed_demo_data_show_their_output(
    checkout: Checkout, environ: dict[str, str], state: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (state / "prepared.json").unlink(missing_ok=True)
    (checkout.root / "demo fails").touch()

    assert main(["run"], environ, checkout) == 1

    shown = capfd.readouterr().err
    assert "`wxc demo --if-empty` failed." in shown
    assert "disk full" in shown


def test_a_port_that_is_not_a_number_is_refused(
    checkout: Checkout, environ: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    (checkout.root / ".env").write_text("PORT=http\n")

    assert main(["run"], environ, checkout) == 1

    assert "PORT is 'http', which is not a number." in capfd.readouterr().err


def test_run_waits_for_a_slow_server(
    checkout: Checkout, monkeypatch: pytest.MonkeyPatch, serve: Serve
) -> None:
    answers = iter([False])
    original = serving._wait_until_healthy
    monkeypatch.setattr(
        serving,
        "_wait_until_healthy",
        lambda *arguments: next(answers, None) or original(*arguments),
    )

    assert serve()[0] == 0


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (serving.Options(), ["--workers", "1", "--reload"]),
        (serving.Options(reload=False), ["--workers", "1"]),
        (serving.Options(workers=2), ["--workers", "2"]),
    ],
)
def test_several_workers_turn_reloading_off(
    checkout: Checkout, options: serving.Options, expected: list[str]
) -> None:
    config = serving.ServerConfig(checkout, checkout.root, "10.0.0.1", 8000, {}, None)

    command = serving._server_program(config, options).command

    assert list(command[1:6]) == ["serve", "--host", "10.0.0.1", "--port", "8000"]
    assert list(command[6:]) == expected


def test_a_database_of_the_user_is_always_migrated(checkout: Checkout) -> None:
    settings = {"DATABASE_URL": "postgresql://elsewhere/db"}
    config = serving.ServerConfig(checkout, checkout.root, LOOPBACK, 8000, settings, None)

    assert serving._database_state(config, has_demo_data=True)["revision"] is None


def test_a_second_interrupt_makes_the_shutdown_urgent() -> None:
    before = signal.getsignal(signal.SIGTERM)

    with ShutdownSignals() as shutdown:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
        assert not shutdown.urgent.is_set()
        os.kill(os.getpid(), signal.SIGINT)
        assert shutdown.urgent.wait(1)

    assert signal.getsignal(signal.SIGTERM) == before


def test_nohup_keeps_sighup_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ShutdownSignals():
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
