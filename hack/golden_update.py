"""Write tests/golden/<case>/out from each case's in.yaml: `python -m hack.golden_update [--check]`.

A case is what a user writes: one ScanService and the policies that it refers to. Its output is what the operator
makes of them, one file per child. With `--check` nothing is written and the exit code is 1 where a file differs.
"""

import sys
from pathlib import Path
from typing import Any, Final

import yaml

from hack.generated import ROOT, write_or_check
from typosentinel_operator import names, specs
from typosentinel_operator.cachespec import CachePolicySpec
from typosentinel_operator.desired import children
from typosentinel_operator.observed import Policies
from typosentinel_operator.passes import inputs_of
from typosentinel_operator.scalingspec import ScalingPolicySpec
from typosentinel_operator.specs import ScanServiceSpec

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


def wanted() -> dict[Path, str | None]:
    """Every file below the cases' outputs with the text that it should have; None: it should not be there."""
    files = {path: text for case in cases() for path, text in rendered(case).items()}
    return {**dict.fromkeys(GOLDEN.glob("*/out/*")), **files}


if __name__ == "__main__":
    sys.exit(write_or_check(__doc__, wanted()))
