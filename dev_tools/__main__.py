"""The command line behind `./dev`."""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence

from dev_tools import checks, client, commands, doctor, environment, locks, serving
from dev_tools.console import StackError, note
from dev_tools.paths import Checkout, this_checkout
from dev_tools.signals import Interrupts


def main(
    arguments: Sequence[str],
    environ: Mapping[str, str] = os.environ,
    checkout: Checkout | None = None,
) -> int:
    """Carry out a command, and return its exit code."""
    try:
        with Interrupts():
            return _dispatch(arguments, environ, checkout or this_checkout())
    except StackError as error:
        note(f"dev: {error}")
    except OSError as error:  # a full disk, a missing permission
        note(f"dev: {error.filename or 'the system'}: {error.strerror or error}")
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


def _run_parsed(chosen: argparse.Namespace, checkout: Checkout, environ: Mapping[str, str]) -> int:
    match chosen.command:
        case "run":
            options = serving.Options(chosen.port, chosen.reload, chosen.workers)
            return serving.run(options, checkout, environ)
        case "check":
            return checks.check(checkout, environ)
        case "doctor":
            return doctor.doctor(checkout, environ, chosen.missing)
        case "lock":
            locks.lock(checkout, ["--upgrade"] if chosen.upgrade else [])
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
        raise StackError("Say what to execute: ./dev exec COMMAND [ARGUMENTS]")
    return command


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev")
    each = parser.add_subparsers(dest="command", required=True)
    run = each.add_parser("run", help="start everything, and serve")
    run.add_argument("--port", type=_port, help="where to listen (default: PORT, else 8000)")
    run.add_argument("--no-reload", dest="reload", action="store_false")
    run.add_argument("--workers", type=int, default=1, metavar="N", help="implies --no-reload")
    each.add_parser("check", help="lint, types, migrations, locks, OpenAPI, client")
    each.add_parser("client", help="write openapi.json and the TypeScript client anew")
    each.add_parser("verify-client", help="compare the client with openapi.json, and compile it")
    lock = each.add_parser("lock", help="write the locks anew")
    lock.add_argument("--upgrade", action="store_true", help="take the newest versions")
    each.add_parser("verify-locks", help="compare the locks with pyproject.toml")
    each.add_parser("doctor", help="tell what would be used").add_argument("--missing", default="")
    return parser


def _port(text: str) -> int:
    port = int(text)
    if not 0 < port < 65536:
        raise argparse.ArgumentTypeError(f"{text} is not a port")
    return port


if __name__ == "__main__":
    environment.remove_from_python_path(os.environ, str(this_checkout().root))
    sys.exit(main(sys.argv[1:]))
