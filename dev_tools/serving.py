"""`./dev run`: engines, migrations, demo, server, worker, and all of it stopped again."""

import hashlib
import http.client
import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from dev_tools import environment, postgres
from dev_tools.console import StackError, note, say
from dev_tools.engines import installed_postgres, start_durable
from dev_tools.mail import mail_sink
from dev_tools.paths import Checkout, locked, state_directory, write_private
from dev_tools.ports import LOOPBACK, port_to_serve
from dev_tools.processes import Child, Program, Supervisor, facts_in, wait_until
from dev_tools.signals import Interrupts

DEV_LOCK = "dev.lock"
DEV_RECORD = "dev.json"
_FOREVER = 10**9
_LOOK_AGAIN = 0.2


@dataclass(frozen=True)
class Options:
    """What can be chosen on the command line."""

    port: int | None = None
    reload: bool = True
    workers: int = 1


@dataclass(frozen=True)
class Site:
    """A server to be: where it listens, and the environment it gets."""

    checkout: Checkout
    state: Path
    host: str
    port: int
    settings: Mapping[str, str]
    mails: Path | None

    @property
    def url(self) -> str:
        """The address for a browser on this machine."""
        return f"http://localhost:{self.port}"

    @property
    def wants_demo(self) -> bool:
        """Whether demo members are to be there."""
        return self.settings.get("DEMO_DATA", "").lower() not in {"false", "0", "no", "off"}


def run(options: Options, checkout: Checkout, environ: Mapping[str, str]) -> int:
    """Serve until somebody stops it."""
    state = state_directory(checkout.root, environ)
    with locked(state / DEV_LOCK, wait=False) as is_first:
        if not is_first:
            raise StackError(_who_is_on(state))
        with Interrupts() as interrupts:
            try:
                return _run_alone(options, checkout, environ, state, interrupts)
            except KeyboardInterrupt:
                say("Stopped.")
                return 0


def _who_is_on(state: Path) -> str:
    if url := facts_in(state / DEV_RECORD).get("url"):
        return f"This checkout is being served already: {url}"
    return "This checkout's engines are in use by another ./dev; try again when it has ended."


def _run_alone(
    options: Options,
    checkout: Checkout,
    environ: Mapping[str, str],
    state: Path,
    interrupts: Interrupts,
) -> int:
    # The mail sink, which is on the stack, goes last: the server may send mails while it ends.
    with ExitStack() as stack, Supervisor(state / DEV_RECORD, interrupts.hurry) as supervisor:
        try:
            site = stack.enter_context(_site(options, checkout, environ, state, supervisor))
            _prepare(site, supervisor)
            server = supervisor.start(_server(site, options))
            worker = supervisor.start(_wxc(site, "worker"))
            supervisor.publish(url=site.url)
            return _watch(site, server, worker, supervisor)
        finally:
            interrupts.end()


@contextmanager
def _site(
    options: Options,
    checkout: Checkout,
    environ: Mapping[str, str],
    state: Path,
    supervisor: Supervisor,
) -> Iterator[Site]:
    chosen = environment.chosen_settings(checkout.root, environ)
    host = chosen.get("HOST") or LOOPBACK
    port = port_to_serve(host, options.port or chosen_port(chosen))
    with development(chosen, state, supervisor, port) as offered:
        settings = environment.with_defaults(chosen, {**offered, "PUBLISHED_HOST": host})
        if sys.stdout.isatty():
            settings = environment.with_defaults(settings, {"LOG_FORMAT": "text"})
        settings = environment.with_commands(settings, checkout.bin)
        mails = None if chosen.get("MAIL_SERVER") else state / "mails"
        yield Site(checkout, state, host, port, settings, mails)


@contextmanager
def development(
    chosen: Mapping[str, str], state: Path, supervisor: Supervisor, port: int = 8000
) -> Iterator[dict[str, str]]:
    """Start the engines and the mail sink; yield the settings that lead to them."""
    with ExitStack() as stack:
        engines = start_durable(supervisor, state, chosen)
        mail_port = None
        if not chosen.get("MAIL_SERVER"):
            mail_port = stack.enter_context(mail_sink(state / "mails", note))
        offered = environment.offered_settings(engines, state, port, mail_port)
        supervisor.publish(offered=offered)
        yield offered


def chosen_port(chosen: Mapping[str, str]) -> int | None:
    """Return the port that `PORT` asks for."""
    written = chosen.get("PORT")
    if written and not written.isdecimal():
        raise StackError(f"PORT is {written!r}, which is not a number.")
    return int(written) if written else None


def _prepare(site: Site, supervisor: Supervisor) -> None:
    """Migrate and load the demo, unless the database is known to be as they would leave it."""
    marker = site.state / "prepared.json"
    if _is_prepared(site, marker):
        return
    _run_to_its_end(site, supervisor, "migrate")
    if site.wants_demo:
        _run_to_its_end(site, supervisor, "demo", "--if-empty")
    write_private(marker, json.dumps(_preparation(site, site.wants_demo)))


def _is_prepared(site: Site, marker: Path) -> bool:
    """Compare with what was noted last; it saves starting Python twice, the better part of 2 s."""
    try:
        noted = json.loads(marker.read_text())
    except (FileNotFoundError, ValueError):
        return False
    wanted = _preparation(site, wants_demo=True)
    return noted == wanted and wanted["revision"] is not None


def _preparation(site: Site, wants_demo: bool) -> dict[str, object]:
    url = site.settings["DATABASE_URL"]
    return {
        "migrations": _digest(site.checkout.root / "alembic"),
        "revision": _revision(url) if url.startswith(postgres.URL_PREFIX) else None,
        "demo": wants_demo,
    }


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()


def _revision(url: str) -> str | None:
    with suppress(StackError):
        return postgres.query(installed_postgres(), url, "SELECT version_num FROM alembic_version")
    return None


def _run_to_its_end(site: Site, supervisor: Supervisor, *command: str) -> None:
    program = supervisor.start(_wxc(site, *command))
    code = program.process.wait()
    supervisor.stop(program)
    if code:
        raise StackError(f"`wxc {' '.join(command)}` failed; its output above says why.")


def _server(site: Site, options: Options) -> Program:
    more = ["--workers", str(options.workers)]
    if options.reload and options.workers == 1:
        more.append("--reload")
    return _wxc(site, "serve", "--host", site.host, "--port", str(site.port), *more)


def _wxc(site: Site, *arguments: str) -> Program:
    return Program(
        name=f"wxc {arguments[0]}",
        command=[str(site.checkout.bin / "wxc"), *arguments],
        env=site.settings,
        cwd=site.checkout.root,
    )


def _watch(site: Site, server: Child, worker: Child, supervisor: Supervisor) -> int:
    # Meanwhile: of two processors one is idle.
    logins = supervisor.start(_logins(site)) if site.wants_demo else None
    if not _answers_within(30, site, server):
        note("The server does not answer yet; its output says why. This goes on waiting.")
        _answers_within(_FOREVER, site, server)
    if not server.has_ended():
        say(_banner(site, _output_of(logins, supervisor) if logins else []))
    while not (server.has_ended() or worker.has_ended()):
        time.sleep(_LOOK_AGAIN)
    name, ended = ("server", server) if server.has_ended() else ("worker", worker)
    raise StackError(f"The {name} has ended by itself (exit code {ended.process.poll()}).")


def _logins(site: Site) -> Program:
    return replace(_wxc(site, "demo", "--logins"), log=site.state / "logins.txt")


def _output_of(logins: Child, supervisor: Supervisor) -> list[str]:
    logins.process.wait()
    supervisor.stop(logins)
    log = logins.program.log
    return log.read_text().splitlines() if log and logins.process.returncode == 0 else []


def _banner(site: Site, logins: list[str]) -> str:
    mails = f"{site.mails} (each is announced here)" if site.mails else "by your MAIL_SERVER"
    lines = [
        "",
        "  WXC Social is running.",
        "",
        f"  API      {site.url}",
        f"  Docs     {site.url}/docs",
        f"  Mails    {mails}",
        "  Stop     Ctrl-C",
        "",
        *(["  Demo log-ins", *(f"    {line}" for line in logins), ""] if logins else []),
    ]
    return "\n".join(lines)


def _answers_within(seconds: float, site: Site, server: Child) -> bool:
    return wait_until(lambda: server.has_ended() or _is_healthy(site), seconds)


def _is_healthy(site: Site) -> bool:
    host = {"0.0.0.0": LOOPBACK, "::": "::1"}.get(site.host, site.host)  # noqa: S104
    connection = http.client.HTTPConnection(host, site.port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
