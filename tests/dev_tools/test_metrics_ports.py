"""`./dev run` with `METRICS_PORT`: every process gets its own port."""

import os
import signal
import threading
from pathlib import Path

import pytest

from dev_tools.__main__ import main
from dev_tools.paths import Checkout
from dev_tools.ports import find_free_port
from dev_tools.processes import wait_until


def ports_of(checkout: Checkout) -> dict[str, str]:
    path = checkout.root / "metrics ports"
    lines = path.read_text().splitlines() if path.exists() else []
    return dict(line.split(" ", 1) for line in lines if " " in line)


@pytest.mark.parametrize("is_set", [True, False])
def test_server_and_worker_get_different_metrics_ports(
    checkout: Checkout,
    environ: dict[str, str],
    capfd: pytest.CaptureFixture[str],
    *,
    is_set: bool,
) -> None:
    port = find_free_port()
    if is_set:
        environ["METRICS_PORT"] = str(port)
    output: list[str] = []

    def stop() -> None:
        def is_running() -> bool:
            output.append(capfd.readouterr().out)
            return {"serve", "worker"} <= ports_of(checkout).keys() and "Stop " in "".join(output)

        wait_until(is_running, 60)
        os.kill(os.getpid(), signal.SIGINT)

    stopper = threading.Thread(target=stop)
    stopper.start()
    code = main(["run", "--port", str(find_free_port())], environ, checkout)
    stopper.join()

    assert code == 0
    ports = ports_of(checkout)
    if not is_set:
        assert (ports["serve"], ports["worker"]) == ("None", "None")
        return
    assert ports["serve"] == str(port)
    assert int(ports["worker"]) > port
    for used in (ports["serve"], ports["worker"]):
        assert f"http://localhost:{used}/metrics" in "".join(output)


def test_a_metrics_port_in_use_is_explained(
    checkout: Checkout, environ: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    port = find_free_port()
    environ["METRICS_PORT"] = str(port)

    assert main(["run", "--port", str(port)], environ, checkout) == 1

    assert f"METRICS_PORT {port} is in use" in capfd.readouterr().err


def test_a_metrics_port_that_is_no_number_is_refused(
    checkout: Checkout, environ: dict[str, str], capfd: pytest.CaptureFixture[str]
) -> None:
    (Path(checkout.root) / ".env").write_text("METRICS_PORT=http\n")

    assert main(["run"], environ, checkout) == 1

    assert "METRICS_PORT is 'http', which is not a number." in capfd.readouterr().err
