"""`make audit-rights`: which rights of the chart its accounts have used in the tests, which not, and what was denied.

Reads what the suites have left in build/reports/rights-*.json. The last line is one JSON object; ends with 0 where
every right is used or explained, with 1 where not, with 2 where no suite has left anything.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable

from hack.cluster import toolchain
from hack.cluster.state import cache_directory

import release
from rights import granted
from rightsaudit import compare, explained, record
from rightsaudit.compare import Findings
from rightsaudit.record import Record, Use
from rightsaudit.right import ACCOUNTS, Right, of_table

# Over the whole cluster, and in one namespace: two ways to install the chart.
MODES: tuple[tuple[str, ...], ...] = ((), ("--set", "operator.watchNamespaces={team-a}"))


def of_chart(*switches: str) -> set[Right]:
    """The rights that the chart gives to its accounts."""
    programs = toolchain.ensure(["helm"], cache_directory())
    manifests = release.rendered(programs, release.RELEASE, *switches)
    found: set[Right] = set()
    for who in ACCOUNTS:
        bound = {
            (one["roleRef"]["kind"], one["roleRef"]["name"])
            for one in manifests
            if one["kind"] in {"ClusterRoleBinding", "RoleBinding"}
            and f"{release.RELEASE}-{who}" in {subject["name"] for subject in one["subjects"]}
        }
        for one in manifests:
            if (one["kind"], one["metadata"]["name"]) in bound:
                found |= set(of_table(granted(one["rules"]), who, release.RELEASE))
    return found


def told(findings: Findings, records: Iterable[Record]) -> Iterable[str]:
    """The report, line by line."""
    suites = ", ".join(one.suite for one in records)
    yield f"Rights that were used ({suites}), with the number of requests:"
    yield from (f"  {times:>7}  {right}: to {right.in_words()}" for right, times in sorted(findings.used.items()))
    yield "Rights that no request has used, and why they are granted nevertheless:"
    yield from (
        f"  {right}: to {right.in_words()}\n           {explained.UNUSED.get(right, 'UNEXPLAINED: ' + _UNUSED)}"
        for right in findings.unused
    )
    yield "Requests that were denied because the right is missing:"
    yield from (
        f"  {times:>7}  {right}: to {right.in_words()}\n           "
        f"{explained.DENIED.get(right, 'UNEXPLAINED: ' + _DENIED)}"
        for right, times in sorted(findings.denied.items())
    )
    if not findings.denied:
        yield "  none"
    yield from (
        f"STALE: {right} is explained, but the explanation is true no more: take it out" for right in findings.stale
    )


_UNUSED = "take it out of the chart and of tests/rights.py, or write a test that needs it"
_DENIED = "the operator asks for what the chart does not grant: grant it, or ask no more"


def main() -> int:
    """Compare and tell; returns the exit code."""
    every = list(record.kept())
    records = [one for one in every if one.current]
    for one in every:
        if not one.current:
            print(f"left out: {one.suite} ran with other sources of the operator or the chart", file=sys.stderr)
    if not records:
        print("no suite has left a record of these sources: run make test-cluster before", file=sys.stderr)
        return 2
    rights = {right for switches in MODES for right in of_chart(*switches)}
    uses: Counter[Use] = Counter()
    for one in records:
        uses += one.uses
    findings = compare.compare(rights, uses, explained.UNUSED, explained.DENIED)
    print("\n".join(told(findings, records)))
    last = {
        "granted": len(rights),
        "used": len(findings.used),
        "unused_unexplained": [str(right) for right in findings.unexplained],
        "denied": [str(right) for right in findings.denied_unexplained],
        "stale": [str(right) for right in findings.stale],
    }
    print(json.dumps(last))
    return 0 if findings.good else 1


if __name__ == "__main__":
    sys.exit(main())
