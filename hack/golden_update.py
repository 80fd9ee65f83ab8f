"""Write tests/golden/<case>/out from each case's in.yaml: `python hack/golden_update.py [--check]`.

A case is what a user writes: one ScanService and the policies that it refers to. Its output is what the operator
makes of them, one file per child. With `--check` nothing is written and the exit code is 1 where a file differs.
"""

import argparse
import sys
from pathlib import Path
from typing import Any, Final

import yaml

from typosentinel_operator import names, specs
from typosentinel_operator.desired import children
from typosentinel_operator.observed import Policies
from typosentinel_operator.reconcile import inputs_of
from typosentinel_operator.specs import CachePolicySpec, ScalingPolicySpec, ScanServiceSpec

ROOT = Path(__file__).resolve().parent.parent
GOLDEN = ROOT / "tests" / "golden"
UID: Final = "6f1f2b1c-6a3f-4f39-9a3e-0d9b5a6f7c11"
DEFAULT_IMAGE: Final = "registry.example/typosentinel-server:1.0.0"

Manifest = dict[str, Any]


def cases() -> list[Path]:
    """The folders of all cases."""
    return sorted(path.parent for path in GOLDEN.glob("*/in.yaml"))


def read(case: Path) -> list[Manifest]:
    """What the user of a case writes."""
    return list(yaml.safe_load_all((case / "in.yaml").read_text(encoding="utf-8")))


def build(case: Path) -> tuple[Manifest, ...]:
    """The children that the operator makes of a case."""
    written = {manifest["kind"]: manifest for manifest in read(case)}
    service = written[names.SCAN_SERVICE.name]
    service["metadata"]["uid"] = UID
    policies = Policies(
        cache=_policy(written, names.CACHE_POLICY, CachePolicySpec),
        scaling=_policy(written, names.SCALING_POLICY, ScalingPolicySpec),
    )
    return children.build(inputs_of(service, specs.parse(ScanServiceSpec, service), policies, DEFAULT_IMAGE))


def _policy(written: dict[str, Manifest], kind: names.Kind, model: type[specs.Spec]) -> specs.Spec | None:
    return specs.parse(model, written[kind.name]) if kind.name in written else None


def rendered(case: Path) -> dict[Path, str]:
    """Every output file of a case with its text."""
    return {
        case / "out" / f"{manifest['kind'].lower()}.yaml": yaml.safe_dump(manifest, sort_keys=False, width=110)
        for manifest in build(case)
    }


def stale() -> dict[Path, str | None]:
    """Files that differ from what they should be, with their right text; None: the file should not be there."""
    wanted = {path: text for case in cases() for path, text in rendered(case).items()}
    leftovers = {path for path in GOLDEN.glob("*/out/*") if path not in wanted}
    differing = {path: text for path, text in wanted.items() if not path.exists() or path.read_text() != text}
    return {**differing, **dict.fromkeys(leftovers)}


def main() -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 where a file differs")
    check = parser.parse_args().check
    found = stale()
    for path, text in sorted(found.items()):
        if check:
            print(f"not current: {path.relative_to(ROOT)} (make generate)")
        elif text is None:
            path.unlink()
            print(f"removed: {path.relative_to(ROOT)}")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
            print(f"written: {path.relative_to(ROOT)}")
    return 1 if check and found else 0


if __name__ == "__main__":
    sys.exit(main())
