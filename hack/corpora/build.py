"""Build the lists of popular names that the package carries: `python -m hack.corpora.build [--only NAME …]`.

Names come from pinned packages of the ordinary clients and from nowhere else: pip, npm, mvn and apt-cache.
Ecosystems without such a source are left out. The bytes are the same for the same sources. All sources are pinned by
hash but one: crates come from the machine's own apt lists, signed by Debian, and differ from release to release; the
manifest records the release and the hash of the names.
"""

import argparse
import csv
import hashlib
import io
import json
import lzma
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

from hack.corpora import lists
from hack.corpora.lists import Row
from hack.corpora.sources import (
    BOMS,
    GUARDDOG,
    NPM_HIGH_IMPACT,
    NPM_HIGH_IMPACT_PUBLISHED,
    Source,
    fetch,
    from_tarball,
    from_wheel,
)
from typosentinel_server.errors import NameRefused
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.scan.naming import parse_name

OUT = Path(__file__).resolve().parents[2] / "server" / "typosentinel_server" / "corpora"
NUGET = Path(__file__).with_name("nuget.txt")
NUGET_DRAWN_UP = "2026-11-21T00:00:00Z"
APT_LISTS = Path("/var/lib/apt/lists")
PROTECTED = 5000
PROTECTED_CRATES = 300


@dataclass(frozen=True, slots=True)
class Built:
    """One list and what the manifest says about it."""

    rows: list[Row]
    created: str
    sources: list[Source]
    order: str
    protected: str
    partial: bool


def main() -> int:
    """Builds; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(BUILDERS), default=list(BUILDERS))
    wanted = parser.parse_args().only
    OUT.mkdir(exist_ok=True)
    manifest_path = OUT / "manifest.json"
    corpora = json.loads(manifest_path.read_text(encoding="utf-8"))["corpora"] if manifest_path.exists() else {}
    with tempfile.TemporaryDirectory() as work:
        for stem in wanted:
            ecosystem, build = BUILDERS[stem]
            corpora[ecosystem.value] = write(ecosystem, stem, build(Path(work)))
    ordered = {e.value: corpora[e.value] for e in Ecosystem if e.value in corpora}
    missing = [e.value for e in Ecosystem if e.value not in ordered]
    manifest = {"format": 1, "corpora": ordered, "missing": missing}
    manifest_path.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
    size = sum(path.stat().st_size for path in OUT.iterdir())
    print(f"[corpora] {len(ordered)} lists, {size:,} bytes; none for {', '.join(missing) or 'no ecosystem'}")
    return 0


def write(ecosystem: Ecosystem, stem: str, built: Built) -> dict[str, object]:
    """Writes one list; returns its part of the manifest. Names that the registry refuses are dropped."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("rank", "name", "tier"))
    kept = [row for row in built.rows if _is_name(ecosystem, row.name)]
    for row in kept:
        writer.writerow((row.rank or "", row.name, row.tier))
    plain = text.getvalue().encode("utf-8")
    packed = lzma.compress(plain, preset=9 | lzma.PRESET_EXTREME)
    (OUT / f"{stem}.csv.xz").write_bytes(packed)
    print(f"[corpora] {ecosystem}: {len(kept):,} names, {len(packed):,} bytes, {len(built.rows) - len(kept)} dropped")
    return {
        "file": f"{stem}.csv.xz",
        "names": len(kept),
        "created": built.created,
        "sha256": hashlib.sha256(plain).hexdigest(),
        "order": built.order,
        "protected": built.protected,
        "partial": built.partial,
        "sources": [asdict(source) for source in built.sources],
    }


def pypi(work: Path) -> Built:
    """The most downloaded projects."""
    names, created = _guarddog(work, "pypi")
    order = "downloads, most first"
    return Built(lists.ranked(names, PROTECTED), created, [GUARDDOG], order, f"the first {PROTECTED}", partial=False)


def npm(work: Path) -> Built:
    """Packages of high impact by downloads, then those of many dependents and of guarddog's list."""
    tarball = fetch(NPM_HIGH_IMPACT, work)
    by_downloads = lists.javascript_array(from_tarball(tarball, "package/lib/top-download.js"))
    by_impact = lists.javascript_array(from_tarball(tarball, "package/lib/top.js"))
    names, _ = _guarddog(work, "npm")
    return Built(
        lists.npm_rows(by_downloads, by_impact + names, PROTECTED),
        NPM_HIGH_IMPACT_PUBLISHED,
        [NPM_HIGH_IMPACT, GUARDDOG],
        "downloads, most first; those without a rank are known for many dependents or from guarddog",
        f"the first {PROTECTED}",
        partial=False,
    )


def go(work: Path) -> Built:
    """The most used modules."""
    names, created = _guarddog(work, "go")
    order = "use, most first"
    return Built(lists.ranked(names, len(names)), created, [GUARDDOG], order, "all", partial=False)


def rubygems(work: Path) -> Built:
    """Popular gems, in no order."""
    names, created = _guarddog(work, "rubygems")
    return Built(lists.unordered(names, names), created, [GUARDDOG], "none", "all", partial=True)


def crates(work: Path) -> Built:
    """Crates that Debian packages, by how many others there need them."""
    del work
    print("[corpora] apt-cache: librust-*-dev …", flush=True)
    available = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, text=True, check=True).stdout
    release, created = _debian_release()
    rows = lists.crate_rows(available, PROTECTED_CRATES)
    digest = hashlib.sha256("\n".join(row.name for row in rows).encode()).hexdigest()
    source = Source("Debian main, names of librust-*-dev", release, "facts (names only)", digest, "apt-cache")
    return Built(
        rows,
        created,
        [source],
        "number of crates in Debian that depend on it, most first",
        f"the first {PROTECTED_CRATES}",
        partial=True,
    )


def maven(work: Path) -> Built:
    """Coordinates that well-known bills of materials manage."""
    poms = [lists.bom_coordinates(fetch(bom, work).read_bytes()) for bom in BOMS]
    created = datetime(2025, 5, 22, tzinfo=UTC)  # Spring Boot 3.5.0, the newest of the pinned ones
    order, protected = "none", "named by two bills of materials or more"
    return Built(
        lists.maven_rows(poms), created.isoformat().replace("+00:00", "Z"), list(BOMS), order, protected, partial=True
    )


def nuget(work: Path) -> Built:
    """Well-known packages that others imitate, by hand: no client installs a package that holds popular names.

    Somebody's memory is no source, so nothing on it is vouched for: it tells what a name may be taken for, and no more.
    """
    del work
    content = NUGET.read_bytes()
    names = [line for line in content.decode("ascii").splitlines() if line and not line.startswith("#")]
    source = Source("hack/corpora/nuget.txt", "1", "MIT", hashlib.sha256(content).hexdigest(), "none")
    rows = [Row(None, name, protected=True, trusted=False) for name in sorted(set(names))]
    return Built(rows, NUGET_DRAWN_UP, [source], "none", "all, none of them vouched for", partial=True)


BUILDERS: dict[str, tuple[Ecosystem, Callable[[Path], Built]]] = {
    "pypi": (Ecosystem.PYPI, pypi),
    "npm": (Ecosystem.NPM, npm),
    "crates": (Ecosystem.CRATES, crates),
    "rubygems": (Ecosystem.RUBYGEMS, rubygems),
    "nuget": (Ecosystem.NUGET, nuget),
    "go": (Ecosystem.GO, go),
    "maven": (Ecosystem.MAVEN, maven),
}


def _guarddog(work: Path, stem: str) -> tuple[list[str], str]:
    held = list(work.glob("guarddog-*.whl"))
    wheel = held[0] if held else fetch(GUARDDOG, work)
    member = f"guarddog/analyzer/metadata/resources/top_{stem}_packages.json"
    return lists.guarddog_list(from_wheel(wheel, member))


def _debian_release() -> tuple[str, str]:
    for path in sorted(APT_LISTS.glob("*_InRelease")):
        head = path.read_text(encoding="utf-8", errors="replace")[:2000]
        fields = dict(re.findall(r"^(\w+): (.+)$", head, re.MULTILINE))
        if fields.get("Label") == "Debian" and fields.get("Version") and "-" not in fields.get("Suite", "-"):
            created = parsedate_to_datetime(fields["Date"]).astimezone(UTC)
            return f"{fields['Version']} ({fields['Codename']})", created.isoformat().replace("+00:00", "Z")
    sys.exit("no Debian release is known here: run apt-get update first")


def _is_name(ecosystem: Ecosystem, name: str) -> bool:
    try:
        return parse_name(ecosystem, name).raw.isascii()
    except NameRefused:
        return False


if __name__ == "__main__":
    sys.exit(main())
