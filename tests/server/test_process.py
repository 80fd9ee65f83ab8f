"""The program as a process: its streams, its exit codes, and that it never ends with a traceback."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = f"{sys.executable} -m typosentinel_server"
# Nothing of the caller's own: PYTHONUNBUFFERED for one would hide what is looked at here.
ENVIRONMENT = {"P": PROGRAM, "PATH": "/usr/bin:/bin"}

pytestmark = pytest.mark.timeout(20)


def shell(script: str) -> subprocess.CompletedProcess[str]:
    """A script in which `$P` is the program."""
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, env=ENVIRONMENT)


def test_port_in_use_is_said_plainly(lists: Path) -> None:
    """Which address, and what to do."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = shell(f"$P serve --port {port} --corpus {lists}")

    assert done.returncode == 2
    assert f"cannot listen on 127.0.0.1 port {port}" in done.stderr
    assert "Choose another --port" in done.stderr
    assert "Traceback" not in done.stderr


def test_closed_pipe_is_no_failure_to_talk_about() -> None:
    """`typosentinel scan --stdin | head -1` ends without a word, and with no verdict's exit code."""
    done = shell("yes reqeusts | head -20000 | $P scan --stdin | head -1; echo ${PIPESTATUS[2]}")

    answer, code = done.stdout.splitlines()
    assert (json.loads(answer)["verdict"], code, done.stderr) == ("suspicious", "141", "")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("$P scan --stdin <&-", "standard input or output is closed"),
        ("$P scan reqeusts >&-", "standard input or output is closed"),
        ("$P scan reqeusts >/dev/full", "No space left on device"),
        ("echo reqeusts | $P scan --stdin --fail-on never >/dev/full", "No space left on device"),
        ("$P --help >/dev/full", "No space left on device"),
    ],
)
def test_streams_that_do_not_work_are_said_to_be_so(script: str, said: str) -> None:
    """Nothing was judged or nothing was written: no success, no verdict, one sentence."""
    done = shell(script)

    assert (done.returncode, done.stdout) == (74, "")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_closed_standard_error_hurts_nobody() -> None:
    """The answer is on standard output."""
    done = shell("$P scan --fail-on suspicious reqeusts 2>&-")

    assert (done.returncode, done.stdout.split()[1]) == (1, "suspicious")


def test_answers_come_line_by_line() -> None:
    """Whoever keeps the pipe open and asks a second time has the first answer by then."""
    command = [*PROGRAM.split(), "scan", "--stdin"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=ENVIRONMENT) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for name in ("reqeusts", "requests"):
            process.stdin.write(f"{name}\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["name"] == name
        process.send_signal(signal.SIGINT)
        process.stdin.close()

    assert process.returncode == 130


def test_defect_is_one_sentence_and_no_verdict() -> None:
    """A pipeline that takes 1 for a verdict must not take a defect for one."""
    script = (
        "import sys; from typosentinel_server import __main__ as entry, cli; cli.COMMANDS['nothing'] = '';"
        "sys.argv = ['typosentinel', 'nothing']; entry.main()"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.returncode == 70
    assert done.stderr.startswith("error: the program failed with ModuleNotFoundError at ")
    assert done.stderr.endswith("please report this sentence and the command\n")
    assert len(done.stderr.splitlines()) == 1


def test_config_check_ends_with_2_on_any_wrong_document(tmp_path: Path) -> None:
    """Also where a list stands for a text, and where a number has thousands of digits."""
    head = "apiVersion: typosentinel.io/v1alpha1\nkind: ServerConfiguration\n"
    for wrong in ("logLevel: [Debug]", f"cache: {{memory: {{maxEntries: 0x{'f' * 5000}}}}}"):
        path = tmp_path / "c.yaml"
        path.write_text(f"{head}{wrong}\n", encoding="utf-8")
        done = shell(f"$P config check {path}")
        assert (done.returncode, done.stdout) == (2, "")
        assert f"{path}:3:" in done.stderr


def test_long_work_shows_how_far_it_is_on_a_terminal_only(lists: Path, tmp_path: Path) -> None:
    """The bar is on standard error, so that the output can go elsewhere; without a terminal there is none."""
    data = tmp_path / "names.csv"
    rows = "".join(f"pypi,a-name-of-some-length-{n},,0\n" for n in range(3000))
    data.write_text(f"ecosystem,name,target,label\n{rows}", encoding="utf-8")
    command = [*PROGRAM.split(), "benchmark", "--data", str(data), "--corpus", str(lists), "--format", "json"]
    quiet = subprocess.run(command, capture_output=True, check=True)
    ours, theirs = os.openpty()
    environment = {**ENVIRONMENT, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment) as shown:
        os.close(theirs)
        bar = b"".join(iter(lambda: _read(ours), b""))
        output, _ = shown.communicate()
    os.close(ours)

    assert quiet.stderr == b""
    assert json.loads(output)["honest"] == json.loads(quiet.stdout)["honest"] == 3000
    assert b"judging" in bar
    assert b"3000/3000" in bar


def _read(terminal: int) -> bytes:
    # Linux says so with an error when the other side of a terminal is closed.
    try:
        return os.read(terminal, 4096)
    except OSError:
        return b""
