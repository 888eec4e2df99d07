"""Compare two outputs of `pg_dump --schema-only`, except Alembic's version table.

`python -m dev_tools.compare_schemas OLD NEW` shows whether two migration paths end at the same
schema. It compares every object, including the order of columns and the bodies of functions.

pg_dump writes a new random key into `\\restrict` and its version into comments; both are ignored.
The exit status is 1 if anything differs.
"""

import argparse
import re
from collections import Counter
from collections.abc import Mapping
from difflib import unified_diff
from pathlib import Path

from dev_tools.console import print_out

_HEADING = re.compile(r"^--\n-- Name: (.+); Type: (.+); Schema: .+; Owner: .+\n--\n", re.MULTILINE)
_NOISE = re.compile(r"^(--.*|\\(un)?restrict .*|)\n", re.MULTILINE)
_VERSION_TABLE = "alembic_version"
Objects = Mapping[tuple[str, str], str]
"""The statements of each object, by its type and its name."""


def main() -> int:
    """Print the differences between two files and a summary; return 1 if there are any."""
    parser = argparse.ArgumentParser(prog="compare_schemas", description=__doc__)
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    arguments = parser.parse_args()
    old, new = (objects(path.read_text()) for path in (arguments.old, arguments.new))
    found = differences(old, new)
    print_out("\n".join([*found, _summary(old), _summary(new), _verdict(found)]))
    return 1 if found else 0


def objects(dump: str) -> Objects:
    """Return the objects of a dump; the settings at its beginning are one object."""
    settings, *parts = _HEADING.split(dump)
    found = {("SETTINGS", "of the dump"): _NOISE.sub("", settings)}
    for name, kind, statements in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        if name.split()[0] != _VERSION_TABLE:
            found[kind, name] = found.get((kind, name), "") + _NOISE.sub("", statements)
    return found


def differences(old: Objects, new: Objects) -> list[str]:
    """Return each object that differs, with its changes; empty if the schemas are equal."""
    lines: list[str] = []
    for kind, name in sorted(old.keys() | new.keys()):
        before, after = old.get((kind, name), ""), new.get((kind, name), "")
        if before != after:
            lines.append(f"{kind} {name}")
            changes = unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
            lines.extend(f"    {line}" for line in list(changes)[2:])
    return lines


def _summary(found: Objects) -> str:
    counts = Counter(kind for kind, _ in found)
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))


def _verdict(found: list[str]) -> str:
    return "The schemas differ." if found else "The schemas are equal."


if __name__ == "__main__":
    raise SystemExit(main())
