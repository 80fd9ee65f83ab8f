"""Write docs/reference/custom-resources.md from the CRDs: `python -m hack.gen_reference [--check]`."""

import sys
from collections.abc import Iterator
from typing import Any

import yaml

from hack.generated import ROOT, write_or_check

OUT = ROOT / "docs" / "reference" / "custom-resources.md"
HEAD = """\
# Custom resources

Generated from `crds/` by `make generate`. Group `typosentinel.io`, version `v1alpha1`, all namespaced, all in the
category `typosentinel`. `kubectl explain scanservice.spec` shows the same on a cluster.

Durations are hours, minutes, seconds and milliseconds as in `1h30m`; quantities are Kubernetes' own.
"""


def rows(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, str, str, str]]:
    """(path, type, default, description) of each field, depth first."""
    for name, field in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        inner = field.get("items", field)
        suffix = "[]" if field.get("type") == "array" else ""
        yield here + suffix, _type(field), _default(field), field.get("description", "")
        if here != "status.conditions":
            yield from rows(inner, here + suffix)


def _type(field: dict[str, Any]) -> str:
    if field.get("x-kubernetes-int-or-string"):
        return "quantity"
    if "enum" in field:
        return " \\| ".join(f"`{value}`" for value in field["enum"])
    if field.get("type") == "array":
        return f"list of {_type(field['items'])}"
    if "additionalProperties" in field:
        return f"map of {_type(field['additionalProperties'])}"
    bounds = [str(field[key]) for key in ("minimum", "maximum") if key in field]
    return str(field.get("type", "")) + (f" {bounds[0]} to {bounds[1]}" if len(bounds) == 2 else "")  # noqa: PLR2004


def _default(field: dict[str, Any]) -> str:
    default = field.get("default")
    return f"`{default}`" if isinstance(default, str | int) else ""


def rendered() -> str:
    """The page."""
    parts = [HEAD]
    for path in sorted((ROOT / "crds").glob("*.yaml")):
        crd = yaml.safe_load(path.read_text())
        (version,) = crd["spec"]["versions"]
        schema = version["schema"]["openAPIV3Schema"]
        names = crd["spec"]["names"]
        parts.append(f"\n## {names['kind']}\n\n{schema['description']} Short name: `{names['shortNames'][0]}`.\n")
        parts.append("\n| field | type | default | meaning |\n| --- | --- | --- | --- |\n")
        for part in ("spec", "status"):
            parts += [
                f"| `{path}` | {kind} | {default} | {text} |\n"
                for path, kind, default, text in rows(schema["properties"][part], part)
            ]
        rules = list(_rules(schema))
        if rules:
            parts.append("\nThe API server refuses an object where one of these does not hold:\n\n")
            parts += [f"- {message}\n" for message in rules]
    return "".join(parts)


def _rules(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for rule in node.get("x-kubernetes-validations", []):
            yield rule["message"]
        for value in node.values():
            yield from _rules(value)


if __name__ == "__main__":
    sys.exit(write_or_check(__doc__, {OUT: rendered()}))
