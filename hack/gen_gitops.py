"""Write what Argo CD is told about our kinds: `PYTHONPATH=tests python -m hack.gen_gitops [--check]`.

Out of one health script and the tests' table of situations: the script for the other kinds, Argo CD's own tests of
them with their samples, and the snippet for argocd-cm. The folder resource_customizations is laid out as Argo CD's
own, so that it can be offered there as it is.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

import argohealth
import situations
from hack.generated import ROOT, write_or_check
from typosentinel_operator import names

EXAMPLES: Final = ROOT / "docs" / "examples" / "argocd"
OUT: Final = EXAMPLES / "resource_customizations" / names.GROUP
SNIPPET: Final = EXAMPLES / "argocd-cm.yaml"
HEAD: Final = """\
# Generated from resource_customizations by `make generate`: health of our kinds for Argo CD. Merge it into the
# ConfigMap that Argo CD has: kubectl patch configmap argocd-cm -n argocd --patch-file argocd-cm.yaml
"""


class Readable(yaml.SafeDumper):
    """YAML in which text of more than one line stands as it is."""


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


Readable.add_representer(str, _text)
# The same object twice is written twice: an anchor would be a riddle.
Readable.ignore_aliases = lambda *_: True  # type: ignore[method-assign]


def dumped(document: Any) -> str:
    """A document as YAML."""
    return yaml.dump(document, Dumper=Readable, sort_keys=False, width=110)


def snippet() -> str:
    """The part of argocd-cm that is about our kinds."""
    data = {f"resource.customizations.health.{names.GROUP}_{kind.name}": _script() for kind in names.CUSTOM_KINDS}
    return HEAD + dumped({"data": data})


def published(kind: str) -> Iterator[tuple[str, situations.Situation]]:
    """Situations of a kind that are published, with the names of their files."""
    for situation in situations.ALL.values():
        if situation.sample and situation.manifest["kind"] == kind:
            yield f"testdata/{situation.sample}.yaml", situation


def of_kind(kind: str) -> dict[Path, str]:
    """Every file of a kind but the script that people write."""
    files, tests = {}, []
    for path, situation in published(kind):
        status, message = argohealth.run(_script(), situation.manifest)
        tests.append({"healthStatus": {"status": status, "message": message}, "inputPath": path})
        files[OUT / kind / path] = dumped(situation.manifest)
    return files | {OUT / kind / "health_test.yaml": dumped({"tests": tests}), OUT / kind / "health.lua": _script()}


def wanted() -> dict[Path, str | None]:
    """Every generated file with the text that it should have; None: it should not be there."""
    files: dict[Path, str | None] = dict.fromkeys(OUT.glob("*/*/*"))
    for kind in names.CUSTOM_KINDS:
        files |= of_kind(kind.name)
    return files | {SNIPPET: snippet()}


def _script() -> str:
    return argohealth.script(names.SCAN_SERVICE.name)


if __name__ == "__main__":
    sys.exit(write_or_check(__doc__, wanted()))
