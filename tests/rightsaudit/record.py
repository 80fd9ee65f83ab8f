"""What the chart's accounts have asked of an API server, taken from its audit log and kept in build/reports.

A record names the sources that it was taken with: one of other sources proves nothing about these.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from faults.audit import AuditLog, Entry
from rightsaudit.right import ACCOUNTS, RELEASE, Right, of_release

ROOT: Final = Path(__file__).resolve().parents[2]
REPORTS: Final = ROOT / "build" / "reports"
_SOURCES: Final = ("operator/typosentinel_operator", "charts/typosentinel/templates")
_ACCOUNTS: Final = "system:serviceaccount:typosentinel-system:"
# Of these the name matters, where it is one of the chart's: the rights to them are restricted to it.
_NAMED: Final = frozenset({"leases", "secrets", "validatingwebhookconfigurations"})


@dataclass(frozen=True, slots=True)
class Use:
    """What was asked for, and whether the account had the right to it.

    Attributes:
        right: to which it comes.
        allowed: by whichever role; what a quota or a webhook refuses was allowed.
    """

    right: Right
    allowed: bool


def sources() -> str:
    """Digest of the operator's code and of the chart."""
    digest = hashlib.sha256()
    for folder in _SOURCES:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in {".py", ".yaml", ".tpl"}:
                digest.update(f"{path.relative_to(ROOT)}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def uses(entries: Iterable[Entry]) -> Counter[Use]:
    """How often what was asked for by an account of the chart.

    A denial does not count where the same account was allowed the same in the same place at another time: an API server
    that has just started knows no roles yet, for a tenth of a second.
    """
    found: Counter[tuple[str, str, Use]] = Counter()
    for entry in entries:
        account = entry.user.removeprefix(_ACCOUNTS)
        release, _, who = account.rpartition("-")
        if account == entry.user or who not in ACCOUNTS:
            continue
        for right in _rights(entry, release, who):
            found[account, entry.namespace, Use(right, entry.allowed)] += 1
    counted: Counter[Use] = Counter()
    for (account, namespace, use), times in found.items():
        if use.allowed or (account, namespace, Use(use.right, allowed=True)) not in found:
            counted[use] += times
    return counted


def _rights(entry: Entry, release: str, who: str) -> Iterator[Right]:
    resource = f"{entry.resource}/{entry.subresource}" if entry.subresource else entry.resource
    name = of_release(entry.name, release) if entry.resource in _NAMED else ""
    name = name if name.startswith(RELEASE) else ""
    yield Right(entry.group, resource, entry.verb, name, who)
    if entry.verb == "patch" and entry.created:
        # An apply that makes an object takes the right to create it, too.
        yield Right(entry.group, resource, "create", name, who)


def keep(suite: str, log: Path, *, reports: Path = REPORTS, start: int = 0) -> None:
    """Write the record of a suite, of what its API server has noted; nothing where there is no log.

    Args:
        suite: its name.
        log: the audit log, beside which older parts of it may lie.
        reports: folder to write into.
        start: bytes of the log that are older than the suite; then older parts of it are, too.
    """
    parts = [log] if start else log.parent.glob(f"{log.stem}*{log.suffix}")
    found: Counter[Use] = Counter()
    for part in parts:
        found += uses(AuditLog(part, start).entries())
    if not found:
        return
    rows = [
        {
            "group": use.right.group,
            "resource": use.right.resource,
            "verb": use.right.verb,
            "name": use.right.name,
            "who": use.right.who,
            "allowed": use.allowed,
            "times": times,
        }
        for use, times in sorted(found.items(), key=lambda item: (item[0].right, item[0].allowed))
    ]
    reports.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"suite": suite, "sources": sources(), "uses": rows}, indent=1)
    (reports / f"rights-{suite}.json").write_text(text + "\n", encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Record:
    """What a suite has shown.

    Attributes:
        suite: its name.
        current: whether it ran with the sources that are here.
        uses: what was asked for, and how often.
    """

    suite: str
    current: bool
    uses: Counter[Use]


def kept(reports: Path = REPORTS) -> Iterator[Record]:
    """All records there are."""
    here = sources()
    for path in sorted(reports.glob("rights-*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        counted = Counter(
            {
                Use(Right(row["group"], row["resource"], row["verb"], row["name"], row["who"]), row["allowed"]): row[
                    "times"
                ]
                for row in found["uses"]
            }
        )
        yield Record(found["suite"], found["sources"] == here, counted)
