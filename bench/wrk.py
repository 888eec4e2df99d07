"""The load generator wrk: its scripts and results."""

import json
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Request:
    """A request that wrk repeats."""

    path: str
    headers: dict[str, str]
    method: str = "GET"
    body: str | None = None


@dataclass(frozen=True)
class WrkResult:
    """The result of a run; latencies in milliseconds."""

    requests: int
    seconds: float
    failed: int
    refused: int
    """Answers 429 and 503, not counted as failures if the script tolerates refusals."""
    p50: float
    p99: float


def has_wrk() -> bool:
    return shutil.which("wrk") is not None


def write_script(
    path: Path, requests: Iterable[Request], *, pause_ms: int = 0, tolerates_refusals: bool = False
) -> Path:
    """Write a script that sends the requests in order and prints the result as a line of JSON.

    Each connection waits for `pause_ms` before each request.
    """
    parts = [_SEND % "\n".join(_lua_request(request) for request in requests)]
    parts += [_PAUSE % pause_ms] if pause_ms else []
    parts += [_COUNT_REFUSED] if tolerates_refusals else []
    path.write_text("".join([*parts, _REPORT]))
    return path


def run(script: Path, port: int, connections: int, seconds: float) -> WrkResult:
    """Send requests for that time over that many connections."""
    return finish(start(script, port, connections, seconds))


def start(script: Path, port: int, connections: int, seconds: float) -> subprocess.Popen[str]:
    """Start sending; `finish` returns the result."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout=10s"]
    address = f"http://127.0.0.1:{port}"
    return subprocess.Popen(
        [*command, "-s", str(script), address], stdout=subprocess.PIPE, text=True
    )


def finish(process: subprocess.Popen[str]) -> WrkResult:
    """Wait for the end of the run."""
    output, _ = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args, output)
    result = json.loads(output.splitlines()[-1])
    return WrkResult(
        requests=result["requests"],
        seconds=result["microseconds"] / 1_000_000,
        failed=result["failed"] - result["refused"],
        refused=result["refused"],
        p50=result["p50"] / 1000,
        p99=result["p99"] / 1000,
    )


def _lua_request(request: Request) -> str:
    """The request as a Lua expression; ASCII JSON strings are valid in Lua."""
    headers = ", ".join(
        f"[{json.dumps(name)}] = {json.dumps(value)}" for name, value in request.headers.items()
    )
    body = json.dumps(request.body) if request.body else "nil"
    method, path = json.dumps(request.method), json.dumps(request.path)
    return f"    wrk.format({method}, {path}, {{{headers}}}, {body}),"


_SEND = """
local requests
local at = 0
local only_thread
refused = 0
function setup(thread)
  only_thread = thread
end
function init(arguments)
  requests = {
%s
  }
end
function request()
  at = at %% #requests + 1
  return requests[at]
end
"""
_PAUSE = """
function delay()
  return %d
end
"""
_COUNT_REFUSED = """
function response(status)
  if status == 429 or status == 503 then
    refused = refused + 1
  end
end
"""
_REPORT = """
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "failed": %d, "refused": %d, "p50": %d, "p99": %d}\\n',
    summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    only_thread:get("refused"), latency:percentile(50), latency:percentile(99)
  ))
end
"""
