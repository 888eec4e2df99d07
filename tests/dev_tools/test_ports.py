import socket
from collections.abc import Iterator

import pytest

from dev_tools import ports
from dev_tools.console import DevError


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.create_server((ports.LOOPBACK, 0)) as server:
        yield server.getsockname()[1]


def test_a_free_port_can_be_listened_on() -> None:
    assert ports.is_free(ports.LOOPBACK, ports.find_free_port())


def test_a_requested_port_is_used() -> None:
    port = ports.find_free_port()

    assert ports.choose_port(ports.LOOPBACK, port) == port


def test_a_requested_port_in_use_is_refused(busy_port: int) -> None:
    with pytest.raises(DevError, match=f"Port {busy_port} is in use"):
        ports.choose_port(ports.LOOPBACK, busy_port)


def test_the_next_port_is_used_if_the_default_is_in_use(
    busy_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    port = ports.choose_port(ports.LOOPBACK, None, busy_port)

    assert port > busy_port
    assert f"Port {busy_port} is in use; using {port}." in capsys.readouterr().err


def test_each_process_of_a_run_gets_its_own_metrics_port(busy_port: int) -> None:
    first = ports.find_free_port()

    chosen = ports.choose_metrics_ports({"METRICS_PORT": str(first)}, first + 1)

    assert chosen
    assert chosen[0] == first
    assert chosen[1] > first + 1  # which the API uses
    for requested, api in ((busy_port, 8000), (first, first)):
        with pytest.raises(DevError, match=f"METRICS_PORT {requested} is in use"):
            ports.choose_metrics_ports({"METRICS_PORT": str(requested)}, api)


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(DevError, match=r"Cannot listen on 192\.0\.2\.1:8000"):
        ports.is_free("192.0.2.1", 8000)


def test_having_no_free_port_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda host, port: False)

    with pytest.raises(DevError, match="No port from 8000 to 8099"):
        ports.choose_port(ports.LOOPBACK, None)


def test_a_free_default_port_is_used_silently(capsys: pytest.CaptureFixture[str]) -> None:
    default = ports.find_free_port()

    assert ports.choose_port(ports.LOOPBACK, None, default) == default
    assert capsys.readouterr().err == ""
