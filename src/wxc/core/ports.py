import errno
import socket


def require_free_port(setting: str, host: str, port: int, advice: str = "") -> None:
    """Exit with a message that names the setting if a server cannot listen there."""
    try:
        address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, target = address[0]
        with socket.socket(family, kind, protocol) as probe:
            # Servers set this too: connections in TIME_WAIT do not occupy the port.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(target)
    except OSError as error:
        reason = f"{host}: {error.strerror}."
        if error.errno == errno.EADDRINUSE:
            reason = f"is in use by another process on this machine. {advice}".strip()
        raise SystemExit(f"wxc: {setting} {port} {reason}") from None
