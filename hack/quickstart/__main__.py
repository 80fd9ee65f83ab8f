"""The main job, from nothing to verdicts: `make quickstart`. `make scan` asks the same Service again.

Brings up the local cluster, builds and loads the images, installs the chart, applies demo.yaml, waits until the
ScanService is Ready and sends scans through its Service from a pod of its own.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

from hack import deploy
from hack.quickstart import scanpod
from hack.quickstart.kubectl import Kubectl, KubectlError
from hack.quickstart.steps import Steps, headline

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
NAMESPACE = "typosentinel-demo"
SERVICE = "demo"
READY_SECONDS = 180

# A mix that shows every kind of answer: typed in haste, look-alikes, a word or an owner too many or too few, and names
# that are fine.
SAMPLES = {
    "PyPI": ["reqeusts", "requests", "python-dateutil", "urlib3", "djang0", "beatifulsoup4", "nunpy", "cryptograhpy"],
    "npm": ["lodahs", "lodash", "crossenv", "expres", "@types/node", "lodahs-fix", "jquery.js", "core-rest-pipeline"],
}


def call(*command: str) -> None:
    """Run a step's program; its output is the user's to see.

    Raises:
        subprocess.CalledProcessError: it failed; it has said why.
    """
    subprocess.run([sys.executable, *command], cwd=ROOT, check=True)


def wait_until_ready(kubectl: Kubectl) -> None:
    """Wait for the ScanService, saying what it waits for whenever that changes.

    Raises:
        KubectlError: it is not Ready in time; the last reason is in the message.
    """
    deadline = time.monotonic() + READY_SECONDS
    said = ""
    while time.monotonic() < deadline:
        status = kubectl.get("scanservice", SERVICE, NAMESPACE).get("status", {})
        ready = next((item for item in status.get("conditions", []) if item["type"] == "Ready"), None)
        if ready is not None and ready["status"] == "True":
            return
        message = f"{ready['reason']}: {ready['message']}" if ready else "the operator has not looked at it yet"
        if message != said:
            print(f"      {message}", flush=True)
            said = message
        time.sleep(0.5)
    raise KubectlError(f"not Ready after {READY_SECONDS} s: {said}; see: {kubectl.path} describe scan -A")


def quickstart() -> None:
    """All steps, then what to try next.

    Raises:
        subprocess.CalledProcessError, KubectlError, deploy.DeployError: a step failed.
    """
    steps = Steps(6)
    with steps.step("local cluster", "10 s; the first time 8 minutes: Kubernetes is compiled"):
        call("hack/cluster", "up")
    with steps.step("images", "a few seconds; the first time 2 minutes"):
        call("hack/images", "build", "--load")
    target = deploy.local_target()
    kubectl = Kubectl(target.kubectl)
    with steps.step("chart: operator and custom resource definitions", "10 s"):
        deploy.install(target, deploy.local_images())
    with steps.step("a ScanService with its CachePolicy and ScalingPolicy", "1 s"):
        print("      " + kubectl.run("apply", "-f", str(HERE / "demo.yaml")).strip().replace("\n", "\n      "))
    with steps.step("until it is Ready", "15 s"):
        wait_until_ready(kubectl)
    with steps.step("scans through its Service", "10 s"):
        answers = {
            ecosystem: scanpod.scan(kubectl, NAMESPACE, SERVICE, ecosystem, n) for ecosystem, n in SAMPLES.items()
        }
    headline("kubectl get typosentinel -A")
    print(kubectl.run("get", "typosentinel", "-A").strip())
    for ecosystem, answer in answers.items():
        headline(f"{ecosystem}: answered by a pod, through the Service")
        print(answer.rstrip())
    headline(f"Done in {steps.total_seconds():.0f} s. The cluster stays up; try:")
    print(
        '  make scan NAMES="requets nmpy"                        your own names, through the same Service\n'
        "  $(make -s kubectl) get typosentinel -A                the three kinds at a glance\n"
        "  $(make -s kubectl) describe scan demo -n typosentinel-demo\n"
        "                                                        conditions and Events: why it is as it is\n"
        "  $(make -s kubectl) explain scanservice.spec           what else a ScanService can be told\n"
        "  $(make -s kubectl) delete deploy demo-scanner -n typosentinel-demo; sleep 5; "
        "$(make -s kubectl) get pods -n typosentinel-demo\n"
        "                                                        the operator brings it back\n"
        "Remove all of it:\n"
        "  make cluster-down"
    )


def main() -> int:
    """Run the quickstart or one scan; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command")
    scan = commands.add_parser("scan", help="scan names through the quickstart's Service")
    scan.add_argument("--ecosystem", default="PyPI", help="PyPI or npm (%(default)s)")
    scan.add_argument("--namespace", default=NAMESPACE)
    scan.add_argument("--service", default=SERVICE, help="name of the ScanService (%(default)s)")
    scan.add_argument("names", nargs="+", metavar="NAME")
    options = parser.parse_args()
    try:
        if options.command == "scan":
            kubectl = Kubectl(deploy.local_target().kubectl)
            return scanpod.main(kubectl, options.namespace, options.service, options.ecosystem, options.names)
        quickstart()
    except subprocess.CalledProcessError as error:
        print(
            f"quickstart: stopped: {' '.join(map(str, error.cmd[1:]))} ended with {error.returncode}", file=sys.stderr
        )
        return 1
    except (KubectlError, deploy.DeployError) as error:
        print(f"quickstart: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nquickstart: interrupted; run it again to go on, or make cluster-down", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
