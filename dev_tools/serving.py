"""`./dev run`: start the engines, prepare the database, run the server and the worker; stop all."""

import hashlib
import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from dev_tools import environment, postgres
from dev_tools.console import DevError, print_err, print_out
from dev_tools.engines import require_postgres, start_persistent_engines
from dev_tools.mail import mail_sink
from dev_tools.paths import Checkout, ensure_state_directory, file_lock, write_private_file
from dev_tools.ports import (
    DEFAULT_PORT,
    LOOPBACK,
    choose_metrics_ports,
    choose_port,
    configured_port,
    is_ok,
)
from dev_tools.processes import Child, Program, Supervisor, log_tail, read_facts, wait_until
from dev_tools.signals import ShutdownSignals

DEV_LOCK = "dev.lock"
DEV_RECORD = "dev.json"
_SLOW_START_SECONDS = 30
_NO_TIMEOUT = 10**9
_WATCH_INTERVAL_SECONDS = 0.2


@dataclass(frozen=True)
class Options:
    """The options of `./dev run`."""

    port: int | None = None
    reload: bool = True
    workers: int = 1


@dataclass(frozen=True)
class ServerConfig:
    """Address and environment of the server; `mail_folder` is None if MAIL_SERVER is set."""

    checkout: Checkout
    state: Path
    host: str
    port: int
    settings: Mapping[str, str]
    mail_folder: Path | None
    metrics_ports: tuple[int, int] | None = None
    """Of the server and the worker; None without `METRICS_PORT`."""

    @property
    def url(self) -> str:
        """The address for a browser on this machine."""
        return f"http://localhost:{self.port}"

    @property
    def has_demo_data(self) -> bool:
        return self.settings.get("DEMO_DATA", "").lower() not in {"false", "0", "no", "off"}


def run(options: Options, checkout: Checkout, environ: Mapping[str, str]) -> int:
    """Serve until a signal arrives; raises `DevError` if this checkout is already served."""
    state = ensure_state_directory(checkout.root, environ)
    with file_lock(state / DEV_LOCK, blocking=False) as is_first:
        if not is_first:
            raise DevError(_already_running_message(state))
        return _run_until_stopped(options, checkout, environ, state)


def _already_running_message(state: Path) -> str:
    if url := read_facts(state / DEV_RECORD).get("url"):
        return f"This checkout is already being served: {url}"
    return "The engines of this checkout are in use by another ./dev; try again when it has ended."


def _run_until_stopped(
    options: Options, checkout: Checkout, environ: Mapping[str, str], state: Path
) -> int:
    with ShutdownSignals() as shutdown:
        try:
            return _serve(options, checkout, environ, state, shutdown)
        except KeyboardInterrupt:
            print_out("Stopped.")
            return 0


def _serve(
    options: Options,
    checkout: Checkout,
    environ: Mapping[str, str],
    state: Path,
    shutdown: ShutdownSignals,
) -> int:
    # The stack stops the mail sink last: the server may send mails during its shutdown.
    with ExitStack() as stack, Supervisor(state / DEV_RECORD, shutdown.urgent) as supervisor:
        try:
            configured = _server_config(options, checkout, environ, state, supervisor)
            config = stack.enter_context(configured)
            _prepare_database(config, supervisor)
            print_err("Starting the server and the worker ...")
            server = supervisor.start(_server_program(config, options))
            worker = supervisor.start(_worker_program(config))
            supervisor.publish(url=config.url)
            return _supervise(config, server, worker, supervisor)
        finally:
            shutdown.begin_shutdown()


@contextmanager
def _server_config(
    options: Options,
    checkout: Checkout,
    environ: Mapping[str, str],
    state: Path,
    supervisor: Supervisor,
) -> Iterator[ServerConfig]:
    own_settings = environment.user_settings(checkout.root, environ)
    host = own_settings.get("HOST") or LOOPBACK
    port = choose_port(host, options.port or configured_port(own_settings))
    metrics_ports = choose_metrics_ports(own_settings, port)
    private = {"PostgreSQL": "DATABASE_URL", "Redis": "REDIS_URL"}
    if names := [name for name, setting in private.items() if not own_settings.get(setting)]:
        print_err(f"Starting {' and '.join(names)} ...")
    with development_services(own_settings, state, supervisor, port) as defaults:
        settings = environment.with_defaults(own_settings, {**defaults, "PUBLISHED_HOST": host})
        if sys.stdout.isatty():
            settings = environment.with_defaults(settings, {"LOG_FORMAT": "text"})
        settings = environment.with_venv_on_path(settings, checkout.bin)
        mail_folder = None if own_settings.get("MAIL_SERVER") else state / "mails"
        yield ServerConfig(checkout, state, host, port, settings, mail_folder, metrics_ports)


@contextmanager
def development_services(
    settings: Mapping[str, str], state: Path, supervisor: Supervisor, port: int = DEFAULT_PORT
) -> Iterator[dict[str, str]]:
    """Start the engines and the mail sink; yield and publish the settings that point to them."""
    with ExitStack() as stack:
        engines = start_persistent_engines(supervisor, state, settings)
        mail_port = None
        if not settings.get("MAIL_SERVER"):
            mail_port = stack.enter_context(mail_sink(state / "mails", print_err))
        defaults = environment.default_settings(engines, state, port, mail_port)
        supervisor.publish(defaults=defaults)
        yield defaults


def _prepare_database(config: ServerConfig, supervisor: Supervisor) -> None:
    """Migrate and load the demo data, unless the last run did so for the same migrations."""
    marker = config.state / "prepared.json"
    if _is_prepared(config, marker):
        return
    print_err("Migrating the database ...")
    _run_wxc(config, supervisor, "migrate")
    if config.has_demo_data:
        print_err("Adding the demo data ...")
        _run_wxc(config, supervisor, "demo", "--if-empty", is_quiet=True)
    write_private_file(marker, json.dumps(_database_state(config, config.has_demo_data)))


def _is_prepared(config: ServerConfig, marker: Path) -> bool:
    """Compare with the state that the last run recorded; saves two starts of Python, nearly 2 s."""
    try:
        recorded = json.loads(marker.read_text())
    except (FileNotFoundError, ValueError):
        return False
    expected = _database_state(config, has_demo_data=True)
    return recorded == expected and expected["revision"] is not None


def _database_state(config: ServerConfig, has_demo_data: bool) -> dict[str, object]:
    url = config.settings.get("DATABASE_OWNER_URL") or config.settings["DATABASE_URL"]
    return {
        "migrations": _hash_migrations(config.checkout.root / "alembic"),
        "revision": _revision(url) if url.startswith(postgres.URL_PREFIX) else None,
        "demo": has_demo_data,
    }


def _hash_migrations(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(str(path.relative_to(folder)).encode() + path.read_bytes())
    return digest.hexdigest()


def _revision(url: str) -> str | None:
    with suppress(DevError):
        return postgres.query(require_postgres(), url, "SELECT version_num FROM alembic_version")
    return None


def _run_wxc(
    config: ServerConfig, supervisor: Supervisor, *command: str, is_quiet: bool = False
) -> None:
    """Run a command to its end; if it is quiet, its output is shown only if it fails."""
    settings = environment.with_defaults(config.settings, {"LOG_LEVEL": "warning"})
    log = config.state / f"{command[0]}.log" if is_quiet else None
    program = replace(_wxc_program(config, *command), env=settings, log=log)
    child = supervisor.start(program)
    code = child.process.wait()
    supervisor.stop(child)
    if code:
        output = log_tail(log) if log else "See its output above."
        raise DevError(f"`wxc {' '.join(command)}` failed. {output}")


def _server_program(config: ServerConfig, options: Options) -> Program:
    arguments = ["--workers", str(options.workers)]
    if options.reload and options.workers == 1:
        arguments.append("--reload")
    address = ("--host", config.host, "--port", str(config.port))
    return _wxc_program(config, "serve", *address, *arguments)


def _worker_program(config: ServerConfig) -> Program:
    program = _wxc_program(config, "worker")
    if config.metrics_ports is None:
        return program
    return replace(program, env={**config.settings, "METRICS_PORT": str(config.metrics_ports[1])})


def _wxc_program(config: ServerConfig, *arguments: str) -> Program:
    return Program(
        name=f"wxc {arguments[0]}",
        command=[str(config.checkout.bin / "wxc"), *arguments],
        env=config.settings,
        cwd=config.checkout.root,
    )


def _supervise(config: ServerConfig, server: Child, worker: Child, supervisor: Supervisor) -> int:
    """Print the banner once the server answers; raise `DevError` when a process ends."""
    # Runs while the server starts, which uses only one processor.
    logins = supervisor.start(_demo_logins_program(config)) if config.has_demo_data else None
    if not _wait_until_healthy(_SLOW_START_SECONDS, config, server):
        print_err("The server does not answer yet; see its output. Still waiting.")
        _wait_until_healthy(_NO_TIMEOUT, config, server)
    if not server.has_ended():
        print_out(_banner(config, _read_output(logins, supervisor) if logins else []))
    while not (server.has_ended() or worker.has_ended()):
        time.sleep(_WATCH_INTERVAL_SECONDS)
    name, ended = ("server", server) if server.has_ended() else ("worker", worker)
    raise DevError(f"The {name} ended unexpectedly (exit code {ended.process.poll()}).")


def _demo_logins_program(config: ServerConfig) -> Program:
    program = _wxc_program(config, "demo", "--logins")
    return replace(program, log=config.state / "logins.txt")


def _read_output(logins: Child, supervisor: Supervisor) -> list[str]:
    """Wait for the program and return the lines of its log; none if it failed."""
    logins.process.wait()
    supervisor.stop(logins)
    log = logins.program.log
    return log.read_text().splitlines() if log and logins.process.returncode == 0 else []


def _banner(config: ServerConfig, logins: list[str]) -> str:
    folder = config.mail_folder
    mails = f"{folder} (each is announced here)" if folder else "sent by your MAIL_SERVER"
    metrics = [
        f"  Metrics  http://localhost:{port}/metrics ({name})"
        for name, port in zip(("server", "worker"), config.metrics_ports or (), strict=False)
    ]
    lines = [
        "",
        "  WXC Social is running.",
        "",
        f"  API      {config.url}",
        f"  Docs     {config.url}/docs",
        f"  Mails    {mails}",
        *metrics,
        "  Stop     Ctrl-C",
        "",
        *(["  Demo log-ins", *(f"    {line}" for line in logins), ""] if logins else []),
    ]
    return "\n".join(lines)


def _wait_until_healthy(seconds: float, config: ServerConfig, server: Child) -> bool:
    """Return False if the server neither answers nor ends in time."""
    # Wait for `/livez` first: a starting server logs a warning for each refused `/healthz`.
    is_alive = wait_until(
        lambda: server.has_ended() or is_ok(config.host, config.port, "/livez"), seconds
    )
    time.sleep(_WATCH_INTERVAL_SECONDS)
    return is_alive and wait_until(
        lambda: server.has_ended() or is_ok(config.host, config.port, "/healthz"), seconds
    )
