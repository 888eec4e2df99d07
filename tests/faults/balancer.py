"""HAProxy as the load balancer: probes /healthz, reuses connections, never retries."""

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
    # Like the ALB and unlike HAProxy's default: do not retry failed requests.
    retries 0
    timeout connect 3s
    timeout client 60s
    timeout server 60s
    # On a busy test machine a slow answer does not mean an unhealthy server.
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
    """Run a load balancer in front of the servers at these ports; yields its URL."""
    program = shutil.which("haproxy", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program, "haproxy is missing; ./dev test --faults installs it"
    port = free_port()
    servers = "\n".join(f"    server at_{target} 127.0.0.1:{target}" for target in ports)
    configuration = folder / "haproxy.cfg"
    configuration.write_text(_CONFIGURATION.format(port=port, servers=servers))
    with subprocess.Popen([program, "-db", "-f", configuration]) as process:  # noqa: S603
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
