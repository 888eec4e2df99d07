"""`python -m tests.mutation.run`: measures whether the tests detect changes of the code.

A mutant is a module with one change. It is killed if a test of the module fails or times out. All
mutants of pure code are tested, of other modules a sample (`--sample 300 --seed 7`). `--module`
selects modules by a part of their name, `--mutant` single mutants by id. The exit code is 1 if
fewer than 90 % were killed.
"""

import argparse
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from random import Random

from tests.mutation import forks
from tests.mutation.mutants import Mutant, mutants_of
from tests.mutation.targets import TARGETS, Target

MIN_KILLED = 0.9
_KILLED = ("killed", "timeout")
Work = tuple[Target, Mutant]
Result = tuple[str, Mutant]


def main(arguments: Sequence[str]) -> int:
    """Test the mutants and print a table of the outcomes."""
    options = _parser().parse_args(arguments)
    chosen = list(_choose(options))
    with ExitStack() as stack:
        if not all(target.is_pure for target, _ in chosen):
            stack.enter_context(forks.engines_and_template())
        forks.import_libraries()
        results = list(_run(chosen, options))
    return _report(results)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation.run", description=__doc__)
    parser.add_argument("--module", action="append", default=[])
    parser.add_argument("--mutant", action="append", default=[])
    parser.add_argument("--sample", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--pure", action="store_true", help="only modules with pure code")
    parser.add_argument("--results", type=Path, help="file to append to: a line of JSON per mutant")
    parser.add_argument("--log", type=Path, help="the output of the last mutant's tests")
    return parser


def _choose(options: argparse.Namespace) -> Iterator[Work]:
    """All mutants of pure code, then the sample of the others in a random but repeatable order."""
    targets = [
        target
        for target in TARGETS
        if any(part in target.module for part in options.module or [""])
        and (target.is_pure or not options.pure)
    ]
    works = [
        (target, mutant) for target in targets for mutant in mutants_of(target.module, target.file)
    ]
    if options.mutant:
        yield from (work for work in works if work[1].id in options.mutant)
        return
    yield from (work for work in works if work[0].is_pure)
    others = [work for work in works if not work[0].is_pure]
    Random(options.seed).shuffle(others)  # noqa: S311 - repeatable on purpose
    yield from others[: options.sample]


def _run(chosen: Sequence[Work], options: argparse.Namespace) -> Iterator[Result]:
    """Test the mutants; those in the file of results are not tested again."""
    known, green = _known(options.results), set[str]()
    for number, (target, mutant) in enumerate(chosen, 1):
        if mutant.id not in known and target.module not in green:
            _require_green(target, options.log)
            green.add(target.module)
        started = time.monotonic()
        outcome = known.get(mutant.id) or forks.outcome_of(target, mutant.source, options.log)
        if outcome == "survived":
            print(f"survived: {mutant}", flush=True)
        if mutant.id not in known and options.results:
            _append(options.results, outcome, mutant)
        seconds = time.monotonic() - started
        print(f"{number}/{len(chosen)} {outcome} {seconds:.1f} s", file=sys.stderr, flush=True)
        yield outcome, mutant


def _require_green(target: Target, log: Path | None) -> None:
    if forks.outcome_of(target, None, log) != "survived":
        raise SystemExit(f"The tests of {target.module} fail without a mutation.")


def _known(file: Path | None) -> dict[str, str]:
    if file is None or not file.exists():
        return {}
    lines = map(json.loads, file.read_text().splitlines())
    return {line["id"]: line["outcome"] for line in lines}


def _append(file: Path, outcome: str, mutant: Mutant) -> None:
    line = {"id": mutant.id, "outcome": outcome, "module": mutant.module, "change": mutant.change}
    with file.open("a") as stream:
        print(json.dumps(line), file=stream)


def _report(results: Sequence[Result]) -> int:
    """Print the table; mutants that cannot be imported do not count."""
    counts = {module: Counter[str]() for module in sorted({mutant.module for _, mutant in results})}
    for outcome, mutant in results:
        counts[mutant.module][outcome] += 1
    total = sum(counts.values(), Counter[str]())
    print("| module | mutants | killed | of these by timeout | survived | invalid |")
    print("|---|---|---|---|---|---|")
    for module, outcomes in (*counts.items(), ("all", total)):
        killed = sum(outcomes[outcome] for outcome in _KILLED)
        valid = killed + outcomes["survived"]
        print(
            f"| `{module}` | {valid} | {killed} | {outcomes['timeout']} | {outcomes['survived']} "
            f"| {outcomes['invalid']} |"
        )
    killed = sum(total[outcome] for outcome in _KILLED)
    share = killed / max(killed + total["survived"], 1)
    print(f"{share:.1%} killed")
    return 0 if share >= MIN_KILLED else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
