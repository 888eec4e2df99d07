"""TCP ports: which are free, and whether a server answers on one."""

import errno
import http.client
import socket
from collections.abc import Mapping

from dev_tools.console import DevError, print_err

LOOPBACK = "127.0.0.1"
DEFAULT_PORT = 8000
_MAX_PORTS_TO_TRY = 100


def find_free_port() -> int:
    """Return a port of 127.0.0.1; another process may take it before the caller does."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def is_free(host: str, port: int) -> bool:
    """Return whether a server could listen there; raises `DevError` for an unusable address."""
    error = _bind_error(host, port)
    if error and error.errno != errno.EADDRINUSE:
        raise DevError(f"Cannot listen on {host}:{port}: {error.strerror}") from error
    return error is None


def choose_port(host: str, requested: int | None, default: int = DEFAULT_PORT) -> int:
    """Return the requested port or, without a request, the first free one from the default on."""
    if requested is None:
        return _first_free_port(host, default)
    if not is_free(host, requested):
        raise DevError(f"Port {requested} is in use. Choose another one: ./dev run --port N")
    return requested


def configured_port(settings: Mapping[str, str], name: str = "PORT") -> int | None:
    """Return the value of a setting; raises `DevError` if it is not a number."""
    value = settings.get(name)
    if value and not value.isdecimal():
        raise DevError(f"{name} is {value!r}, which is not a number.")
    return int(value) if value else None


def choose_metrics_ports(settings: Mapping[str, str], api_port: int) -> tuple[int, int] | None:
    """Return the ports of the server and of the worker: METRICS_PORT and the next free one."""
    host, requested = (
        settings.get("METRICS_HOST") or LOOPBACK,
        configured_port(settings, "METRICS_PORT"),
    )
    if requested is None:
        return None
    if requested == api_port or not is_free(host, requested):
        raise DevError(f"METRICS_PORT {requested} is in use. Set another one.")
    candidates = range(requested + 1, requested + _MAX_PORTS_TO_TRY)
    worker_port = next((one for one in candidates if one != api_port and is_free(host, one)), None)
    if worker_port is None:
        raise DevError(f"No port from {candidates[0]} to {candidates[-1]} is free on {host}.")
    return requested, worker_port


def _first_free_port(host: str, default: int) -> int:
    candidates = range(default, default + _MAX_PORTS_TO_TRY)
    port = next((port for port in candidates if is_free(host, port)), None)
    if port is None:
        raise DevError(f"No port from {default} to {candidates[-1]} is free on {host}.")
    if port != default:
        print_err(f"Port {default} is in use; using {port}.")
    return port


def _bind_error(host: str, port: int) -> OSError | None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # Servers set this too: connections in TIME_WAIT do not occupy the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error
    return None


def is_ok(host: str, port: int, path: str) -> bool:
    """Return whether the server that listens there answers a GET with 200."""
    # Compares addresses and binds none.
    address = {"0.0.0.0": LOOPBACK, "::": "::1"}.get(host, host)  # noqa: S104
    connection = http.client.HTTPConnection(address, port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
