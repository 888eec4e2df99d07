"""`./dev bench NAME`: the benches by name."""

import json
import sys
from collections.abc import Callable, Mapping
from functools import partial

from bench import login, report
from bench.auth import auth_share
from bench.growth import growth
from bench.hot_rows import like_hot, post_famous
from bench.load import Findings
from bench.mixed_load import login_mixed_load
from bench.options import Options, parse_options
from bench.sql import feed_sql
from bench.targets import evaluate, has_missed
from bench.throughput import throughput
from bench.workloads import READS, WRITES
from bench.wrk import has_wrk

Bench = Callable[[Options], Findings]
WORKLOADS = (*READS, *WRITES)
_SPECIAL_BENCHES: Mapping[str, Bench] = {
    "post-famous": post_famous,
    "like-hot": like_hot,
    "growth": growth,
    "feed-sql": feed_sql,
    "auth": auth_share,
    "login-mix": login_mixed_load,
}
BENCHES: Mapping[str, Bench] = {
    **{name: partial(throughput, [name]) for name in WORKLOADS},
    **_SPECIAL_BENCHES,
}


def main(arguments: list[str]) -> int:
    """Run the named bench, or all; returns 1 if a required target was missed."""
    names = ["login", "all", *BENCHES]
    if not arguments or arguments[0] not in names:
        print(f"Name a bench: ./dev bench {' | '.join(names)}", file=sys.stderr)
        return 2
    name, *rest = arguments
    if name == "login":
        return login.main(rest)
    options = parse_options(rest)
    if not has_wrk():
        sys.exit("There is no wrk; ./dev bench installs it on Debian and Ubuntu.")
    findings = Findings()
    everything: tuple[Bench, ...] = (partial(throughput, WORKLOADS), *_SPECIAL_BENCHES.values())
    for bench in everything if name == "all" else (BENCHES[name],):
        findings.add(bench(options))
    return _report_findings(findings, options)


def _report_findings(findings: Findings, options: Options) -> int:
    results = evaluate(findings)
    facts = report.facts(findings, results, options)
    print(
        json.dumps(facts, indent=2) if options.is_json else report.text(findings, results, options)
    )
    if options.is_saved:
        report.write(facts, findings, results)
    return 1 if has_missed(results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
