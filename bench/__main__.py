"""`./dev bench NAME`: the measurements by their names."""

import json
import sys
from collections.abc import Callable, Mapping
from functools import partial

from bench import login, report
from bench.auth import auth_share
from bench.choice import Choice, choose
from bench.crowds import like_hot, post_famous
from bench.goals import is_missed, judge
from bench.growth import growth
from bench.load import Findings
from bench.mix import login_mix
from bench.sql import feed_sql
from bench.throughput import throughput
from bench.workloads import READS, WRITES
from bench.wrk import has_wrk

Bench = Callable[[Choice], Findings]
WORKLOADS = (*READS, *WRITES)
_OTHERS: Mapping[str, Bench] = {
    "post-famous": post_famous,
    "like-hot": like_hot,
    "growth": growth,
    "feed-sql": feed_sql,
    "auth": auth_share,
    "login-mix": login_mix,
}
BENCHES: Mapping[str, Bench] = {
    **{name: partial(throughput, [name]) for name in WORKLOADS},
    **_OTHERS,
}


def main(arguments: list[str]) -> int:
    """Run the one that is named, or all; 1 if what must be reached was not."""
    names = ["login", "all", *BENCHES]
    if not arguments or arguments[0] not in names:
        print(f"Say what to measure: ./dev bench {' | '.join(names)}", file=sys.stderr)
        return 2
    name, *options = arguments
    if name == "login":
        return login.main(options)
    choice = choose(options)
    if not has_wrk():
        sys.exit("There is no wrk; ./dev bench installs it on Debian and Ubuntu.")
    found = Findings()
    everything: tuple[Bench, ...] = (partial(throughput, WORKLOADS), *_OTHERS.values())
    for bench in everything if name == "all" else (BENCHES[name],):
        found.add(bench(choice))
    return _tell(found, choice)


def _tell(found: Findings, choice: Choice) -> int:
    judged = judge(found)
    facts = report.facts(found, judged, choice)
    print(json.dumps(facts, indent=2) if choice.is_json else report.text(found, judged, choice))
    if choice.writes:
        report.write(facts, found, judged)
    return 1 if is_missed(judged) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
