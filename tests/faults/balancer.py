"""HAProxy, standing in for the load balancer: probes /healthz, keeps connections, never retries."""

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.support.server import free_port

_CONFIGURATION = """
global
    maxconn 2000
defaults
    mode http
    # Unlike HAProxy's own ways, and like the ALB's: a request that fails has failed.
    retries 0
    timeout connect 3s
    timeout client 60s
    timeout server 60s
    # Slow is not ill, on a machine that is busy.
    timeout check 10s
    http-reuse always
frontend public
    bind 127.0.0.1:{port}
    option forwardfor
    default_backend instances
backend instances
    option httpchk GET /healthz
    http-check expect status 200
    default-server check inter 250ms fall 2 rise 1
{servers}
"""


@contextmanager
def balanced(ports: Sequence[int], folder: Path) -> Iterator[str]:
    """The address of a load balancer before the servers at these ports."""
    program = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "there is no haproxy; ./dev test --faults installs it"
    port = free_port()
    servers = "\n".join(f"    server at_{one} 127.0.0.1:{one}" for one in ports)
    configuration = folder / "haproxy.cfg"
    configuration.write_text(_CONFIGURATION.format(port=port, servers=servers))
    with subprocess.Popen([program, "-db", "-f", configuration]) as process:  # noqa: S603
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
