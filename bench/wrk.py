"""wrk: what it is told to send, and what it says of the answers."""

import json
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Request:
    """What is sent again and again."""

    path: str
    headers: dict[str, str]
    method: str = "GET"
    body: str | None = None


@dataclass(frozen=True)
class Counted:
    """What came of the requests; latencies in milliseconds."""

    requests: int
    seconds: float
    failed: int
    refused: int
    """Answers 429 and 503, told apart from failures only where the script is `tolerant`."""
    p50: float
    p99: float


def has_wrk() -> bool:
    """Whether the load can be made here."""
    return shutil.which("wrk") is not None


def script(
    path: Path, requests: Iterable[Request], *, pause: int = 0, is_tolerant: bool = False
) -> Path:
    """What makes wrk send the requests in turn, and say in one line of JSON what came of them.

    Each connection waits for `pause` milliseconds before each request.
    """
    parts = [_SEND % "\n".join(_lua(one) for one in requests)]
    parts += [_PAUSE % pause] if pause else []
    parts += [_TOLERATE] if is_tolerant else []
    path.write_text("".join([*parts, _SAY]))
    return path


def run(script: Path, port: int, connections: int, seconds: float) -> Counted:
    """Send for so long over so many connections."""
    return end(begin(script, port, connections, seconds))


def begin(script: Path, port: int, connections: int, seconds: float) -> subprocess.Popen[str]:
    """Send from now on; `end` says what came of it."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout=10s"]
    address = f"http://127.0.0.1:{port}"
    return subprocess.Popen(
        [*command, "-s", str(script), address], stdout=subprocess.PIPE, text=True
    )


def end(process: subprocess.Popen[str]) -> Counted:
    """Wait for the end of what has begun."""
    said, _ = process.communicate()
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, process.args, said)
    counted = json.loads(said.splitlines()[-1])
    return Counted(
        requests=counted["requests"],
        seconds=counted["microseconds"] / 1_000_000,
        failed=counted["failed"] - counted["refused"],
        refused=counted["refused"],
        p50=counted["p50"] / 1000,
        p99=counted["p99"] / 1000,
    )


def _lua(request: Request) -> str:
    """The request as wrk wants it; JSON's texts in ASCII are Lua's too."""
    headers = ", ".join(
        f"[{json.dumps(name)}] = {json.dumps(value)}" for name, value in request.headers.items()
    )
    body = json.dumps(request.body) if request.body else "nil"
    method, path = json.dumps(request.method), json.dumps(request.path)
    return f"    wrk.format({method}, {path}, {{{headers}}}, {body}),"


_SEND = """
local requests
local at = 0
local thread_of_all
refused = 0
function setup(thread)
  thread_of_all = thread
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
_TOLERATE = """
function response(status)
  if status == 429 or status == 503 then
    refused = refused + 1
  end
end
"""
_SAY = """
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '{"requests": %d, "microseconds": %d, "failed": %d, "refused": %d, "p50": %d, "p99": %d}\\n',
    summary.requests, summary.duration,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    thread_of_all:get("refused"), latency:percentile(50), latency:percentile(99)
  ))
end
"""
