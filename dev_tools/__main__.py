import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from dev_tools import checks, client, commands, doctor, environment, locks, serving
from dev_tools.console import DevError, print_err
from dev_tools.paths import Checkout, this_checkout
from dev_tools.signals import ShutdownSignals


def main(
    arguments: Sequence[str],
    environ: Mapping[str, str] = os.environ,
    checkout: Checkout | None = None,
) -> int:
    try:
        with ShutdownSignals():
            return _dispatch(arguments, environ, checkout or this_checkout())
    except DevError as error:
        print_err(f"dev: {error}")
    except OSError as error:  # a full disk, a missing permission
        print_err(f"dev: {error.filename or 'system error'}: {error.strerror or error}")
    except KeyboardInterrupt:
        return 130
    return 1


def _dispatch(arguments: Sequence[str], environ: Mapping[str, str], checkout: Checkout) -> int:
    command, *rest = arguments
    match command:
        case "test":
            return commands.test(rest, checkout, environ)
        case "bench":
            return commands.bench(rest, checkout, environ)
        case "exec":
            return commands.execute(_command_to_execute(rest), checkout, environ)
        case _:
            return _run_parsed(_parser().parse_args(arguments), checkout, environ)


def _run_parsed(parsed: argparse.Namespace, checkout: Checkout, environ: Mapping[str, str]) -> int:
    match parsed.command:
        case "run":
            options = serving.Options(parsed.port, parsed.reload, parsed.workers)
            return serving.run(options, checkout, environ)
        case "check":
            return checks.run_checks(checkout, environ)
        case "doctor":
            return doctor.doctor(checkout, environ, parsed.missing)
        case "lock":
            locks.lock(checkout, ["--upgrade"] if parsed.upgrade else [])
        case "client":
            client.regenerate(checkout, environ)
        case "verify-client":
            client.verify(checkout, environ)
        case _:
            locks.verify(checkout)
    return 0


def _command_to_execute(rest: Sequence[str]) -> Sequence[str]:
    command = rest[1:] if rest[:1] == ["--"] else rest
    if not command:
        raise DevError("Name a command: ./dev exec COMMAND [ARGUMENTS]")
    return command


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev")
    add_command = parser.add_subparsers(dest="command", required=True).add_parser
    run = add_command("run", help="start everything and serve")
    run.add_argument("--port", type=_port, help="port to listen on (default: PORT, else 8000)")
    run.add_argument("--no-reload", dest="reload", action="store_false")
    run.add_argument("--workers", type=int, default=1, metavar="N", help="implies --no-reload")
    add_command("check", help="lint, types, imports, locks, OpenAPI, client")
    add_command("client", help="generate openapi.json and the TypeScript client")
    add_command("verify-client", help="compare the client with openapi.json and compile it")
    lock = add_command("lock", help="write the requirement locks")
    lock.add_argument("--upgrade", action="store_true", help="upgrade to the newest versions")
    add_command("verify-locks", help="compare the locks with pyproject.toml")
    add_command("doctor", help="show the programs in use and the missing ones").add_argument(
        "--missing", default=""
    )
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65536:
        raise argparse.ArgumentTypeError(f"{text} is not a port number")
    return port


if __name__ == "__main__":
    environment.remove_from_python_path(os.environ, str(this_checkout().root))
    sys.exit(main(sys.argv[1:]))
