"""The command line, as a real process."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

PROGRAM = Path(sys.executable).with_name("typosentinel-operator")
KUBECONFIG = (
    '{"clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}], "users": [],'
    ' "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}], "current-context": "x"}'
)


def run(*arguments: str, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run the program with these variables and none of ours besides."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TYPOSENTINEL_", "KUBE"))}
    return subprocess.run(
        [PROGRAM, *arguments],
        env=inherited | dict(environment),
        capture_output=True,
        text=True,
        timeout=4,
        check=False,
    )


def assert_one_sentence(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    """Exit code 2 and one line that holds these parts; no traceback, nothing on standard output."""
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("typosentinel-operator: ")
    for part in parts:
        assert part in line


def test_without_an_image_it_says_which_variable_is_missing(tmp_path: Path) -> None:
    """The first thing that everybody forgets."""
    done = run("run", environment={"HOME": str(tmp_path)})
    assert_one_sentence(done, "TYPOSENTINEL_SERVER_IMAGE: Field required")


def test_without_the_name_of_a_pod_it_says_how_to_run_by_hand(tmp_path: Path) -> None:
    """The second thing that everybody forgets: in a pod the chart sees to it."""
    done = run("run", environment={"TYPOSENTINEL_SERVER_IMAGE": "x", "HOME": str(tmp_path)})
    assert_one_sentence(
        done, "TYPOSENTINEL_POD_NAME and TYPOSENTINEL_POD_NAMESPACE", "TYPOSENTINEL_LEADER_ELECTION=false"
    )


def test_with_a_kubeconfig_of_garbage_it_says_so(tmp_path: Path) -> None:
    """And names the ways to give another."""
    path = tmp_path / "kubeconfig"
    path.write_text("just words")
    environment = {"TYPOSENTINEL_SERVER_IMAGE": "x", "TYPOSENTINEL_LEADER_ELECTION": "false", "HOME": str(tmp_path)}
    done = run("run", "--kubeconfig", str(path), environment=environment)
    assert_one_sentence(done, "no usable kubeconfig", "--kubeconfig", "KUBECONFIG")


# A second process on one machine is a likely mistake.
TAKEN = {
    # variable of the port → (command, what else it needs)
    "TYPOSENTINEL_PROBE_PORT": (
        "run",
        {
            "TYPOSENTINEL_SERVER_IMAGE": "x",
            "TYPOSENTINEL_LEADER_ELECTION": "false",
            "TYPOSENTINEL_PROBE_HOST": "127.0.0.1",
        },
    ),
    "TYPOSENTINEL_WEBHOOK_PORT": (
        "webhook",
        {
            "TYPOSENTINEL_WEBHOOK_HOST": "127.0.0.1",
            "TYPOSENTINEL_PROBE_HOST": "127.0.0.1",
            "TYPOSENTINEL_PROBE_PORT": "0",
            "TYPOSENTINEL_LOG_LEVEL": "error",
        },
    ),
}


@pytest.mark.parametrize("variable", TAKEN)
def test_with_a_port_that_is_taken_it_says_so(variable: str, tmp_path: Path) -> None:
    """By the variable of that port."""
    command, others = TAKEN[variable]
    path = tmp_path / "kubeconfig"
    path.write_text(KUBECONFIG)
    environment = others | {"TYPOSENTINEL_WEBHOOK_DIRECTORY": str(tmp_path), "HOME": str(tmp_path)}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        environment |= {variable: str(taken.getsockname()[1])}
        done = run(command, "--kubeconfig", str(path), environment=environment)
    assert_one_sentence(done, variable, "address already in use")


@pytest.mark.parametrize("arguments", [["--help"], ["run", "--help"], ["webhook", "--help"], ["--version"]])
def test_it_explains_itself(arguments: list[str]) -> None:
    """Without any setting."""
    done = run(*arguments, environment={})
    assert (done.returncode, done.stderr) == (0, "")
    assert "typosentinel-operator" in done.stdout
