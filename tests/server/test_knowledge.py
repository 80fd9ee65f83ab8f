"""Lists named by the configuration and on the command line: read, or refused whole."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from commanding import Run
from listfiles import ENDED, HEAD, PRIVATE, verdict
from running import Start, ask, samples
from typosentinel_server import knowledge
from typosentinel_server.answers import Answer, Question
from typosentinel_server.client import RemoteJudge
from typosentinel_server.errors import ConfigurationInvalid
from typosentinel_server.knowledge import Held, Lists, read_knowledge, reread
from typosentinel_server.lifecycle import Timing
from typosentinel_server.scan.context.malware import MalwareList
from typosentinel_server.scan.model import Ecosystem
from typosentinel_server.settings import parse_settings


async def test_server_concludes_with_the_lists_that_its_document_names(start: Start, folder: Path) -> None:
    """Paths are as seen from the document; metrics count the entries."""
    server = await start(folder / "config.yaml")
    names = ("reqeusts", "requets", "acme-billing", "evil-thing", "never-heard-of")
    found = await samples(server)

    assert [await verdict(server, name) for name in names] == [
        "clean",
        "suspicious",
        "suspicious",
        "malicious",
        "advisory",
    ]
    entries = {next(iter(labels))[1]: n for (name, labels), n in found.items() if name.endswith("knowledge_entries")}
    assert entries == {"allowList": 1, "privateNames": 1, "malware": 1, "registryIndex.PyPI": 5}
    assert (await ask(server, ecosystem="PyPI", name="reqeusts"))["allowances"] == [
        {"entry": "reqeusts", "reason": "ours", "expires": "9999-12-31", "target": None, "expired": False}
    ]


async def test_document_that_comes_back_clears_the_error(start: Start, folder: Path) -> None:
    """It is the one in effect, so nothing is applied anew."""
    path = folder / "config.yaml"
    server = await start(path, Timing(reload=60))
    current = server.parts.reloader.current
    path.rename(folder / "aside")
    await server.parts.reloader.look()
    gone = server.parts.reloader.last_error
    (folder / "aside").rename(path)
    await server.parts.reloader.look()

    assert str(gone).endswith("No such file or directory")
    assert server.parts.reloader.last_error is None
    assert server.parts.reloader.current is current


def test_what_has_not_changed_is_not_read_again(folder: Path) -> None:
    """An index of millions of names takes seconds; a list that was refused is refused once."""
    (folder / "private.yaml").write_text("nonsense", encoding="utf-8")
    lists = Lists(folder / "allow.yaml", folder / "private.yaml", registry_index={Ecosystem.PYPI: folder / "pypi.txt"})
    first = reread(lists, Held())
    (folder / "allow.yaml").write_text(ENDED, encoding="utf-8")
    second = reread(lists, first)

    assert second.knowledge.registries[Ecosystem.PYPI] is first.knowledge.registries[Ecosystem.PYPI]
    assert second.readings["privateNames"] is first.readings["privateNames"]
    assert second.knowledge.allow_list is not first.knowledge.allow_list
    assert reread(lists, second) is second


def test_what_may_be_read_now_is_read(folder: Path) -> None:
    """Neither size nor date of a file tells that somebody has changed who may read it."""
    lists = Lists(folder / "allow.yaml", folder / "private.yaml")
    first = reread(lists, Held())
    (folder / "allow.yaml").chmod(0o600)
    second = reread(lists, first)

    assert second.readings["allowList"] is not first.readings["allowList"]
    assert second.readings["privateNames"] is first.readings["privateNames"]


def test_unforeseen_trouble_with_one_list_leaves_the_others(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A defect in reading one is a refusal of that one, as the librarian has it."""

    def defect(_content: bytes, _where: str) -> MalwareList:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(knowledge, "parse_csv", defect)
    held = reread(Lists(folder / "allow.yaml", malware=folder / "malware.csv"), Held())

    assert (len(held.knowledge.allow_list), len(held.knowledge.malware)) == (1, 0)
    assert held.readings["malware"].error == f"{folder / 'malware.csv'}:1: ZeroDivisionError: a defect"


def test_paths_of_something_else_are_refused(tmp_path: Path) -> None:
    """Devices and pipes never end; names that no file can have are no crash."""
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero"), tmp_path / "none", Path("a" * 300), Path("a\x00b")):
        for lists in (Lists(path), Lists(None, path), Lists(malware=path), Lists(registry_index={Ecosystem.GO: path})):
            with pytest.raises(ConfigurationInvalid, match=r":1: "):
                read_knowledge(lists)


def test_files_that_are_too_large_are_refused_unread(tmp_path: Path) -> None:
    """A file with a hole has any size."""
    path = tmp_path / "huge"
    with path.open("wb") as file:
        file.truncate(2**40)
    for lists in (Lists(path), Lists(None, path), Lists(malware=path), Lists(registry_index={Ecosystem.NPM: path})):
        with pytest.raises(ConfigurationInvalid, match=r"huge:1: the file is larger than \d+ bytes"):
            read_knowledge(lists)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ("detection: 5\n", 'c.yaml:3: detection: "5" is no mapping; allowed: allowList, privateNames, malware, regis'),
        ("detection: {allowlist: a}\n", "c.yaml:3: detection.allowlist: there is no such field. Did you mean allowL"),
        ("detection: {allowList: 5}\n", 'c.yaml:3: detection.allowList: "5" is no path; allowed: a file, absolute or'),
        ("detection: {malware: ''}\n", 'c.yaml:3: detection.malware: "" is no path; allowed: a file, absolute or as'),
        ('detection: {malware: "a\\0"}\n', 'c.yaml:3: detection.malware: "a\\x00" is no path; allowed: a file, ab'),
        ("detection:\n  registryIndex:\n    nmp: a\n", "c.yaml:5: detection.registryIndex.nmp: there is no ecosystem"),
        ("detection:\n  registryIndex:\n    npm: 5\n", "c.yaml:5: detection.registryIndex.npm: "),
        ("detection: {registryIndex: [npm]}\n", "c.yaml:3: detection.registryIndex: "),
    ],
)  # fmt: skip
def test_wrong_settings_are_refused_with_file_line_and_field(document: str, said: str) -> None:
    """As everything in that document."""
    with pytest.raises(ConfigurationInvalid) as refused:
        parse_settings((HEAD + document).encode(), "c.yaml")

    assert refused.value.message.startswith(said)


def options(folder: Path) -> list[str]:
    """The same lists on the command line."""
    given = {"--allow-list": "allow.yaml", "--private-names": "private.yaml", "--malware": "malware.csv"}
    named = [part for option, name in given.items() for part in (option, str(folder / name))]
    return [*named, "--registry-index", f"pypi={folder / 'pypi.txt'}"]


def test_command_line_takes_the_same_lists(run: Run, folder: Path) -> None:
    """Text says why, an allowance with its reason and end included."""
    result = run.scan(*options(folder), "reqeusts", "requets", "acme-billing", "evil-thing", "never-heard-of")

    rows = [line.split(maxsplit=3) for line in result.stdout.splitlines()]
    assert [row[1] for row in rows] == ["clean", "suspicious", "suspicious", "malicious", "advisory"]
    assert [row[2] for row in rows[2:]] == ["0.95", "1.00", "0.50"]
    assert rows[0][3].endswith(', but allowed until 9999-12-31 ("reqeusts": ours)')
    assert [row[3] for row in rows[2:]] == [
        "this is one of your private names, and a public registry is asked for it",
        "on the list of known malware",
        "PyPI has no package of this name, so it cannot be installed today, and anybody may take it",
    ]
    assert run.scan(*options(folder), "--fail-on", "malicious", "evil-thing").exit_code == 1


def test_command_line_takes_no_wrong_list(run: Run, folder: Path) -> None:
    """Whoever asks once is there to correct it; a verdict without the list could be the wrong one."""
    (folder / "allow.yaml").write_text("nonsense", encoding="utf-8")
    result = run.scan(*options(folder), "reqeusts")

    assert (result.exit_code, result.stdout) == (2, "")
    assert f"{folder / 'allow.yaml'}:1: the document is not a mapping" in result.stderr


def test_ended_allowance_is_told(run: Run, folder: Path) -> None:
    """Whoever looks at the alarm learns that it had been settled until then."""
    (folder / "allow.yaml").write_text(ENDED, encoding="utf-8")
    result = run.scan("--allow-list", str(folder / "allow.yaml"), "reqeusts")

    assert result.stdout.startswith("reqeusts  suspicious 0.")
    assert result.stdout.endswith('; its allowance ("reqeusts": ours once) ended on 2020-01-31\n')


def test_programs_see_allowances_too(run: Run, folder: Path) -> None:
    """In both forms of JSON; a name without one has no such key in a stream."""
    allow = ("--allow-list", str(folder / "allow.yaml"))
    stream = [json.loads(line) for line in run.scan(*allow, "--stdin", stdin="reqeusts\nrequets\n").stdout.splitlines()]
    (full,) = json.loads(run.scan(*allow, "--format", "json", "reqeusts").stdout)
    allowance = {"entry": "reqeusts", "reason": "ours", "expires": "9999-12-31", "target": None, "expired": False}

    assert (stream[0]["verdict"], stream[0]["allowances"]) == ("clean", [allowance])
    assert "allowances" not in stream[1]
    assert (full["allowances"], full["findings"][0]["cleared"]) == ([allowance], True)


def test_config_check_reads_the_lists(run: Run, folder: Path) -> None:
    """A document whose lists are damaged is not right."""
    path = str(folder / "config.yaml")
    assert "registryIndex.PyPI  5 entries" in run("config", "check", path).stdout
    (folder / "private.yaml").write_text(PRIVATE.replace("acme-billing", "'*'"), encoding="utf-8")
    refused = run("config", "check", path)

    assert refused.exit_code == 2
    assert f'{folder / "private.yaml"}:3: names.PyPI.0: "*" is neither a name nor a namespace' in refused.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--allow-list", "/nowhere"), "/nowhere:1: No such file or directory"),
        (("--malware", "/nowhere"), "/nowhere:1: No such file or directory"),
        (("--registry-index", "/nowhere"), '--registry-index is ECOSYSTEM=FILE, and "/nowhere" is not'),
        (("--registry-index", "npm="), '--registry-index is ECOSYSTEM=FILE, and "npm=" is not'),
        (("--registry-index", "nmp=a"), 'there is no ecosystem "nmp"'),
        (("--registry-index", "npm=/nowhere"), "/nowhere:1: No such file or directory"),
        (("--registry-index", "npm=a", "--registry-index", "NPM=b"), "--registry-index is given twice for npm"),
        (("--server", "http://127.0.0.1:1", "--malware", "a"), "have no effect with --server"),
    ],
)
def test_wrong_calls_exit_with_2_and_say_what_to_do(run: Run, arguments: tuple[str, ...], said: str) -> None:
    """A sentence on standard error, nothing on standard output."""
    result = run.scan(*arguments, "a") if "--server" not in arguments else run("scan", *arguments, "a")

    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


async def test_client_shows_what_the_server_concluded(start: Start, folder: Path) -> None:
    """Allowances come over the wire."""
    server = await start(folder / "config.yaml")
    judge = RemoteJudge(server.url)
    found = await asyncio.to_thread(judge, Question("PyPI", "reqeusts"))
    judge.close()

    assert isinstance(found, Answer)
    assert [(a.entry, str(a.expires)) for a in found.allowances] == [("reqeusts", "9999-12-31")]
    assert found.findings[0].cleared
