import socket
from collections.abc import Iterator

import pytest

from dev_tools import ports
from dev_tools.console import StackError


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.create_server((ports.LOOPBACK, 0)) as server:
        yield server.getsockname()[1]


def test_a_free_port_can_be_listened_on() -> None:
    assert ports.is_free(ports.LOOPBACK, ports.free_port())


def test_a_chosen_port_is_taken() -> None:
    port = ports.free_port()

    assert ports.port_to_serve(ports.LOOPBACK, port) == port


def test_a_chosen_port_that_is_in_use_is_refused(busy_port: int) -> None:
    with pytest.raises(StackError, match=f"Port {busy_port} is in use"):
        ports.port_to_serve(ports.LOOPBACK, busy_port)


def test_the_next_port_is_taken_when_the_default_is_in_use(
    busy_port: int, capsys: pytest.CaptureFixture[str]
) -> None:
    port = ports.port_to_serve(ports.LOOPBACK, None, busy_port)

    assert port > busy_port
    assert f"Port {busy_port} is in use; taking {port}." in capsys.readouterr().err


def test_an_address_of_another_machine_is_told_from_a_busy_port() -> None:
    with pytest.raises(StackError, match=r"Cannot listen on 192\.0\.2\.1:8000"):
        ports.is_free("192.0.2.1", 8000)


def test_no_free_port_at_all_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "is_free", lambda host, port: False)

    with pytest.raises(StackError, match="No port from 8000 to 8099"):
        ports.port_to_serve(ports.LOOPBACK, None)


def test_a_free_default_is_taken_silently(capsys: pytest.CaptureFixture[str]) -> None:
    default = ports.free_port()

    assert ports.port_to_serve(ports.LOOPBACK, None, default) == default
    assert capsys.readouterr().err == ""
