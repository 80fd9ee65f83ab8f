"""`typosentinel scan`."""

import sys
from codecs import BOM_UTF8
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import click

from typosentinel_server.answers import Answer, Judge, LocalJudge, Question, Refusal, worst
from typosentinel_server.clock import Clock
from typosentinel_server.engines import Library
from typosentinel_server.errors import EcosystemUnknown, shown
from typosentinel_server.progress import progress, size_of_input
from typosentinel_server.reports import json, text
from typosentinel_server.scan.conclusion import Knowledge
from typosentinel_server.scan.model import Ecosystem, Verdict, parse_ecosystem

REACHED = 1
NEVER = "never"
STREAM_WIDTH = 28
# Lines of a file that are asked about together.
AT_ONCE = 500
# Refusals of the whole question: nothing was judged, so success must not be claimed.
UNJUDGED = frozenset({"UNKNOWN_ECOSYSTEM", "ECOSYSTEM_NOT_SERVED", "ECOSYSTEM_WITHOUT_CORPUS"})


@click.command("scan")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--ecosystem", "-e", default=Ecosystem.PYPI.value, show_default=True, help=f"One of {', '.join(Ecosystem)}."
)
@click.option("--stdin", "from_stdin", is_flag=True, help="Read lines ECOSYSTEM<TAB>NAME, or NAME alone.")
@click.option("--server", metavar="URL", help="Ask this server instead of judging here.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "ndjson"]), help="Default: text; ndjson with --stdin."
)
@click.option(
    "--corpus",
    type=click.Path(path_type=Path),
    help="Directory of lists such as pypi.csv instead of the built-in ones.",
)
@click.option("--allow-list", type=click.Path(path_type=Path), help="Document of names that somebody vouches for.")
@click.option("--private-names", type=click.Path(path_type=Path), help="Document of your own registry's names.")
@click.option("--malware", type=click.Path(path_type=Path), help="Known malware: CSV, or a directory of OSV records.")
@click.option(
    "--registry-index",
    "registry_index",
    multiple=True,
    metavar="ECOSYSTEM=FILE",
    help="All names of a registry, one a line. May be given once for each ecosystem.",
)
@click.option(
    "--fail-on",
    type=click.Choice([NEVER, *(verdict.value for verdict in Verdict if verdict is not Verdict.CLEAN)]),
    default=NEVER,
    show_default=True,
    help="Exit with 1 from this verdict on, and for a name that is refused: nothing says that it is safe.",
)
@click.pass_obj
def command(  # noqa: PLR0913 - one argument an option is click's way
    clock: Clock,
    *,
    names: tuple[str, ...],
    ecosystem: str,
    from_stdin: bool,
    server: str | None,
    form: str | None,
    corpus: Path | None,
    allow_list: Path | None,
    private_names: Path | None,
    malware: Path | None,
    registry_index: tuple[str, ...],
    fail_on: str,
) -> None:
    """Judge package names, in this process or by a server.

    Exit codes: 0 done, 1 a verdict reached --fail-on, 2 a wrong call, an unreadable list, no answer from
    the server, or an ecosystem that nothing is known about; 70 and above: the program could not do its work.
    A name that the registry could not hold, or a line of --stdin that cannot be judged, is reported as
    refused: with --fail-on that counts as reaching it, without it is no failure.

    \b
    Examples:
      typosentinel scan reqeusts requests
      typosentinel scan -e npm lodahs --fail-on suspicious
      typosentinel scan --server http://127.0.0.1:8080 reqeusts
      printf 'npm\\tlodahs\\nPyPI\\treqeusts\\n' | typosentinel scan --stdin
    """  # noqa: D301 - \b is click's mark for "leave these lines alone"
    if from_stdin == bool(names):
        raise click.UsageError("give names, or --stdin, and not both")
    lists = (allow_list, private_names, malware, registry_index)
    if server and (corpus or any(lists)):
        raise click.UsageError(
            "--corpus, --allow-list, --private-names, --malware and --registry-index have no effect with --server: "
            "the server has its own lists"
        )
    ecosystem = parse_ecosystem(ecosystem).value
    if server:
        judge = _remote(server)
    else:
        today = datetime.fromtimestamp(clock.wall(), UTC).date()
        judge = LocalJudge(Library(corpus), _knowledge(*lists) if any(lists) else Knowledge(), today)
    if from_stdin:
        reached, refused = _stream(judge, ecosystem, form or "ndjson")
    else:
        reached, refused = _list(judge, [Question(ecosystem, name) for name in names], form or "text")
    if fail_on == NEVER:
        return
    if refused:
        click.echo(f"refused names, which count as reaching --fail-on: {refused}", err=True)
    if refused or reached.severity >= Verdict(fail_on).severity:
        click.get_current_context().exit(REACHED)


def _remote(server: str) -> Judge:
    # Loading what the wire is made of takes longer than a short scan does.
    from typosentinel_server.client import RemoteJudge  # noqa: PLC0415

    judge = RemoteJudge(server)
    click.get_current_context().call_on_close(judge.close)
    return judge


def _knowledge(
    allow_list: Path | None, private_names: Path | None, malware: Path | None, registry_index: tuple[str, ...]
) -> Knowledge:
    # Reading YAML takes modules that a scan without such lists does well without.
    from typosentinel_server.knowledge import Lists, read_knowledge  # noqa: PLC0415

    indexes: dict[Ecosystem, Path] = {}
    for given in registry_index:
        ecosystem, equals, path = given.partition("=")
        if not equals or not path:
            raise click.UsageError(f"--registry-index is ECOSYSTEM=FILE, and {shown(given)} is not")
        if parse_ecosystem(ecosystem) in indexes:
            raise click.UsageError(f"--registry-index is given twice for {parse_ecosystem(ecosystem)}")
        indexes[parse_ecosystem(ecosystem)] = Path(path)
    return read_knowledge(Lists(allow_list, private_names, malware, indexes))


def _list(judge: Judge, questions: Sequence[Question], form: str) -> tuple[Verdict, int]:
    answers = list(_many(judge)(questions))
    for answer in answers:
        if isinstance(answer, Refusal) and answer.code in UNJUDGED:
            raise EcosystemUnknown(answer.code, answer.reason, answer.suggestion)
    pairs = list(zip(questions, answers, strict=True))
    if form == "json":
        click.echo(json.document(pairs))
    elif form == "ndjson":
        for question, answer in pairs:
            click.echo(json.line(question, answer))
    else:
        width = text.name_width(questions)
        for question, answer in pairs:
            click.echo(text.line(question, answer, width, _paint))
        if footer := text.footer(answers):
            click.echo(_paint(footer, "bright_black"))
    return worst(answers), _refused(answers)


def _stream(judge: Judge, ecosystem: str, form: str) -> tuple[Verdict, int]:
    if form == "json":
        questions = [question for question, _ in _questions(ecosystem)]
        pairs = list(zip(questions, _many(judge)(questions), strict=True))
        click.echo(json.document(pairs))
        answers = [answer for _, answer in pairs]
        return worst(answers), _refused(answers)
    reached, refused = Verdict.CLEAN, 0
    out = sys.stdout
    # Whoever feeds us line by line waits for the answer before the next line; a file does not wait.
    waited_for = size_of_input() is None
    with progress() as advance:
        for question, size, answer in _answered(judge, ecosystem, 1 if waited_for else AT_ONCE):
            reached = max(reached, worst([answer]), key=lambda verdict: verdict.severity)
            refused += _refused([answer])
            out.write(_streamed(question, answer, form) + "\n")
            if waited_for:
                out.flush()
            advance(size)
    out.flush()
    return reached, refused


def _answered(judge: Judge, ecosystem: str, at_once: int) -> Iterator[tuple[Question, int, Answer | Refusal]]:
    asked = _questions(ecosystem)
    while some := list(islice(asked, at_once)):
        answers = _many(judge)([question for question, _ in some])
        for (question, size), answer in zip(some, answers, strict=True):
            yield question, size, answer


def _many(judge: Judge) -> Callable[[Sequence[Question]], Iterator[Answer | Refusal]]:
    # A server is asked for many names at once; in this process that saves nothing.
    found: Callable[[Sequence[Question]], Iterator[Answer | Refusal]] | None = getattr(judge, "many", None)
    return found or (lambda questions: map(judge, questions))


def _refused(answers: Sequence[Answer | Refusal]) -> int:
    return sum(isinstance(answer, Refusal) for answer in answers)


def _streamed(question: Question, answer: Answer | Refusal, form: str) -> str:
    if form == "ndjson":
        return json.line(question, answer)
    return text.line(question, answer, STREAM_WIDTH, _plain)


def _questions(ecosystem: str) -> Iterator[tuple[Question, int]]:
    # Bytes that are no UTF-8 become surrogates, which the naming rules refuse line by line.
    for n, raw in enumerate(sys.stdin.buffer):
        content = raw.removeprefix(BOM_UTF8) if n == 0 else raw
        line = content.decode("utf-8", "surrogateescape").rstrip("\r\n")
        if line:
            first, tab, rest = line.partition("\t")
            yield (Question(first, rest) if tab else Question(ecosystem, line)), len(raw)


def _paint(content: str, colour: str) -> str:
    return click.style(content, fg=colour)


def _plain(content: str, _colour: str) -> str:
    return content
