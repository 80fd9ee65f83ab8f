"""Render the chart into one file for `kubectl apply -f`: build/typosentinel.yaml. The chart stays the only source."""

import sys
from pathlib import Path

from hack import deploy

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "typosentinel.yaml"
NAMESPACE = f"""\
apiVersion: v1
kind: Namespace
metadata:
  name: {deploy.NAMESPACE}
  labels: {{pod-security.kubernetes.io/enforce: restricted}}
"""


def render() -> str:
    """The manifests as YAML text, namespace first.

    Raises:
        deploy.DeployError: helm's own words.
    """
    helm = deploy.output(sys.executable, str(ROOT / "hack" / "cluster"), "helm")
    chart = deploy.output(helm, "template", deploy.RELEASE, str(deploy.CHART), "--namespace", deploy.NAMESPACE)
    return f"{NAMESPACE}---\n{chart.removeprefix('---').lstrip()}\n"


def main() -> int:
    """Write the file; returns the exit code."""
    try:
        text = render()
    except deploy.DeployError as error:
        print(f"manifests: {error}", file=sys.stderr)
        return 1
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(text)
    print(f"{OUT.relative_to(ROOT)}: {text.count(chr(10) + 'kind: ')} objects; kubectl apply --server-side -f it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
