"""Install or upgrade the chart in the cluster of one context, and never in another one by mistake.

The context is named on the command line or confirmed at the prompt; `typosentinel-local` is the local cluster, with
the images that `make images` built. Any other context is looked up in the user's own kubeconfig.
"""

import argparse
import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
LOCAL_CONTEXT = "typosentinel-local"
RELEASE = "typosentinel"
NAMESPACE = "typosentinel-system"
CHART = ROOT / "charts" / "typosentinel"


class DeployError(Exception):
    """What stops a deployment, as a sentence for people."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to install and by which tools.

    Attributes:
        context: name of the context.
        kubectl: path of kubectl.
        helm: path of helm.
        kubeconfig: path, or None for the user's own.
    """

    context: str
    kubectl: str
    helm: str
    kubeconfig: str | None


def output(*command: str) -> str:
    """Standard output of a command, stripped.

    Raises:
        DeployError: it failed.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DeployError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


def local_target() -> Target:
    """The local cluster."""
    cluster = [sys.executable, str(ROOT / "hack" / "cluster")]
    return Target(LOCAL_CONTEXT, output(*cluster, "kubectl"), output(*cluster, "helm"), output(*cluster, "kubeconfig"))


def local_images() -> dict[str, str]:
    """Names of the images that the sources of this checkout make: keys operator and server."""
    names: dict[str, str] = json.loads(output(sys.executable, str(ROOT / "hack" / "images"), "names"))
    return names


def build_images() -> None:
    """Build the images of this checkout and load them into the local cluster.

    Raises:
        DeployError: it failed, and has said why.
    """
    command = [sys.executable, str(ROOT / "hack" / "images"), "build", "--load"]
    if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
        raise DeployError("the images could not be built or loaded")


def user_target(context: str | None) -> Target:
    """A context of the user's own kubeconfig, confirmed."""
    kubectl, helm = shutil.which("kubectl"), shutil.which("helm")
    if kubectl is None or helm is None:
        missing = " and ".join(name for name, path in (("kubectl", kubectl), ("helm", helm)) if path is None)
        raise DeployError(
            f"{missing} must be on the PATH to deploy to a cluster of yours; the local one: CONTEXT={LOCAL_CONTEXT}"
        )
    if context is None:
        context = output(kubectl, "config", "current-context")
        server = output(kubectl, "config", "view", "--minify", "-o", "jsonpath={.clusters[0].cluster.server}")
        print(f"Context {context} ({server}).")
        if not sys.stdin.isatty():
            raise DeployError(f"nobody is here to confirm it; name it: make deploy CONTEXT={context}")
        if input("Type the context's name to deploy there: ").strip() != context:
            raise DeployError("not confirmed; nothing was changed")
    # Helm reads the KUBECONFIG variable itself, which may be a list of files.
    return Target(context, kubectl, helm, None)


def released_images() -> dict[str, str]:
    """Names of the images that the chart was released with: keys operator and server."""
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    version = yaml.safe_load((CHART / "Chart.yaml").read_text())["appVersion"]
    repositories = {"operator": values["operator"]["image"], "server": values["scanner"]["image"]}
    return {part: f"{image['repository']}:{version}" for part, image in repositories.items()}


def helm_values(images: dict[str, str], *, pull_policy: str) -> list[str]:
    """Helm's switches for the images; a name without a tag is refused."""
    switches = ["--set", f"operator.image.pullPolicy={pull_policy}"]
    for part, key in (("operator", "operator"), ("server", "scanner")):
        repository, colon, tag = images[part].rpartition(":")
        if not colon or "/" in tag:
            raise DeployError(f"image {images[part]}: a full name with a tag is needed")
        switches += ["--set", f"{key}.image.repository={repository}", "--set-string", f"{key}.image.tag={tag}"]
    return switches


def install(target: Target, images: dict[str, str], namespace: str = NAMESPACE) -> None:
    """Install or upgrade the release and wait until the operator is ready; other values stay as they were.

    Raises:
        DeployError: helm's own words.
    """
    where = ["--kube-context", target.context, *(["--kubeconfig", target.kubeconfig] if target.kubeconfig else [])]
    policy = "Never" if target.context == LOCAL_CONTEXT else "IfNotPresent"
    _end_interrupted(target, [*where, "--namespace", namespace])
    values = ["--reset-then-reuse-values", *helm_values(images, pull_policy=policy)]
    output(
        *(target.helm, "upgrade", "--install", RELEASE, str(CHART), *where),
        *("--namespace", namespace, "--create-namespace", *values),
        # A release that does not get ready is taken back: never a half-applied change.
        *("--wait", _taken_back(target.helm), "--timeout", "2m"),
    )


def _end_interrupted(target: Target, where: list[str]) -> None:
    """Take back what a deployment that was killed left pending: helm would refuse to go on from there."""
    asked = subprocess.run(
        [target.helm, "status", RELEASE, *where, "-o", "json"], capture_output=True, text=True, check=False
    )
    state = json.loads(asked.stdout)["info"]["status"] if asked.returncode == 0 else ""
    if state.startswith("pending"):
        print(f"An earlier deployment was interrupted ({state}); taking it back …", flush=True)
        output(target.helm, *(("uninstall",) if state == "pending-install" else ("rollback",)), RELEASE, *where)


def _taken_back(helm: str) -> str:
    """The switch by which helm takes a failed release back; helm 4 has a new name for it."""
    return "--atomic" if output(helm, "version", "--short").startswith("v3.") else "--rollback-on-failure"


def named_images(options: argparse.Namespace) -> dict[str, str] | None:
    """The images that the command line names, or None."""
    named = {"operator": options.operator_image, "server": options.server_image}
    if all(named.values()):
        return named
    if any(named.values()):
        raise DeployError("name both images, or none")
    return None


def main() -> int:
    """Deploy; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--context", help="where to install; default: the current context, to be confirmed")
    parser.add_argument("--namespace", default=NAMESPACE, help="namespace of the operator (%(default)s)")
    parser.add_argument("--operator-image", help="full name with tag; default: the chart's own release")
    parser.add_argument("--server-image", help="full name with tag; default: the chart's own release")
    options = parser.parse_args()
    try:
        local = options.context == LOCAL_CONTEXT
        target = local_target() if local else user_target(options.context)
        images = named_images(options)
        if images is None and local:
            build_images()
            images = local_images()
        print(f"Deploying {RELEASE} to context {target.context}, namespace {options.namespace} …", flush=True)
        install(target, images or released_images(), options.namespace)
    except DeployError as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 1
    print(f"Deployed. Remove it: helm uninstall {RELEASE} -n {options.namespace} --kube-context {target.context}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
