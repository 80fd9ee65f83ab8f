"""Names that a list protects and does not vouch for."""

import json
from pathlib import Path

from commanding import Run
from judging import builtin
from typosentinel_server.bundles.rows import rows_of
from typosentinel_server.scan.model import Ecosystem, Package, Verdict

LIST = b"rank,name,tier\n1,requests,protected\n,flask,target\n,urllib3,known\n"


def test_target_is_protected_and_not_known(run: Run, tmp_path: Path) -> None:
    """It is clean, as nothing is wrong with it; that it is popular nobody says. What is like it alerts."""
    (tmp_path / "pypi.csv").write_bytes(LIST)
    result = run.scan("--corpus", str(tmp_path), "--format", "ndjson", "flask", "flsak", "requests", "reqeusts")

    found = [json.loads(line) for line in result.stdout.splitlines()]

    assert [one["known"] for one in found] == [False, False, True, False]
    assert [one["verdict"] for one in found] == ["clean", "suspicious", "clean", "suspicious"]
    told = run.scan("--corpus", str(tmp_path), "flask").stdout
    assert told == "flask  clean      0.00  not known as popular, nothing similar found\n"


def test_list_of_nuget_tells_what_is_imitated() -> None:
    """A slip in a well-known name is seen; the name itself is clean and unknown."""
    engine = builtin().engine(Ecosystem.NUGET)
    slip, exact = (engine.scan(Package(Ecosystem.NUGET, name)) for name in ("Newtonsfot.Json", "newtonsoft.json"))

    assert (slip.verdict, slip.targets) == (Verdict.SUSPICIOUS, ("Newtonsoft.Json",))
    assert (exact.verdict, exact.known, exact.rank, exact.findings) == (Verdict.CLEAN, False, None, ())


def test_tier_is_kept() -> None:
    """By what reads lists as texts."""
    assert [row.tier for row in rows_of(Ecosystem.PYPI, LIST, "here").values()] == ["protected", "target", "known"]
