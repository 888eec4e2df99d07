"""`./dev bench NAME`: the measurements by their names."""

import sys

from bench import login, throughput
from bench.workloads import WORKLOADS


def main(arguments: list[str]) -> int:
    """Run the one that is named; `all` stands for every workload."""
    names = ["login", "all", *WORKLOADS]
    if not arguments or arguments[0] not in names:
        print(f"Say what to measure: ./dev bench {' | '.join(names)}", file=sys.stderr)
        return 2
    name, *rest = arguments
    if name == "login":
        return login.main(rest)
    return throughput.main(list(WORKLOADS) if name == "all" else [name], rest)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
