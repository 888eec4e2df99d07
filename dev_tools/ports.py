"""Finding ports that are free."""

import errno
import socket

from dev_tools.console import StackError, note

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """Return a port of 127.0.0.1 that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def is_free(host: str, port: int) -> bool:
    """Tell whether a server could listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As servers do: connections that linger after a restart do not count as busy.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise StackError(f"Cannot listen on {host}:{port}: {error.strerror}") from error
            return False
    return True


def port_to_serve(host: str, chosen: int | None, default: int = 8000) -> int:
    """Return the chosen port, or the first free one from the default on."""
    if chosen is not None:
        if not is_free(host, chosen):
            raise StackError(f"Port {chosen} is in use. Choose another one: ./dev run --port N")
        return chosen
    for port in range(default, default + 100):
        if is_free(host, port):
            if port != default:
                note(f"Port {default} is in use; taking {port}.")
            return port
    raise StackError(f"No port from {default} to {default + 99} is free on {host}.")
