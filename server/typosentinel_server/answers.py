"""Answers for the command line, whoever gave them: an engine in this process or a server."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

from typosentinel_server.engines import Engines, Library, build_engines
from typosentinel_server.errors import DomainError, EcosystemUnknown, NameRefused
from typosentinel_server.scan.conclusion import Knowledge, conclude
from typosentinel_server.scan.model import Allowance, Finding, Package, ScanResult, Verdict, parse_ecosystem
from typosentinel_server.scan.naming import parse_name


@dataclass(frozen=True, slots=True)
class Question:
    """One name to judge; the ecosystem as the user wrote it."""

    ecosystem: str
    name: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a question has no answer."""

    code: str
    reason: str
    suggestion: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A judgement as the command line shows it.

    Attributes:
        question: what was asked.
        verdict: what to think of it.
        score: 0 to 1.
        known: whether the name is on the list.
        rank: its place there, None without one.
        targets: suspected targets, most likely first.
        findings: strongest first.
        compared_with: which list.
        served_by: which server answered; None for this process.
        allowances: what the allow-list says of the name.
    """

    question: Question
    verdict: Verdict
    score: float
    known: bool
    rank: int | None
    targets: tuple[str, ...]
    findings: tuple[Finding, ...]
    compared_with: str
    served_by: str | None = None
    allowances: tuple[Allowance, ...] = ()


Judge = Callable[[Question], Answer | Refusal]


class LocalJudge:
    """Answers from engines in this process; a list is read when it is first asked for.

    Args:
        library: where lists come from.
        knowledge: what is known besides the lists of popular names.
        today: the date in UTC, for expiries.
    """

    def __init__(self, library: Library, knowledge: Knowledge, today: date) -> None:
        self._library = library
        self._knowledge = knowledge
        self._today = today
        self._engines = Engines({})

    def __call__(self, question: Question) -> Answer | Refusal:
        """The answer. Raises CorpusUnreadable, for then no question has one."""
        try:
            ecosystem = parse_ecosystem(question.ecosystem)
            engine = self._engines.get(ecosystem)
            if engine is None:
                self._engines = build_engines(self._library, (*self._engines.ecosystems, ecosystem))
                engine = self._engines.engine(ecosystem)
            name = parse_name(ecosystem, question.name)
            result = engine.judge(Package(ecosystem, question.name), name)
            return answer_of(question, conclude(result, name, self._knowledge, None, self._today, engine))
        except (EcosystemUnknown, NameRefused) as error:
            return refusal_of(error)


def answer_of(question: Question, result: ScanResult) -> Answer:
    """The command line's view of a result."""
    return Answer(
        question=question,
        verdict=result.verdict,
        score=result.score,
        known=result.known,
        rank=result.rank,
        targets=result.targets,
        findings=result.findings,
        compared_with=result.corpus_version,
        allowances=result.allowances,
    )


def refusal_of(error: DomainError) -> Refusal:
    """The command line's view of an error."""
    return Refusal(error.code, error.message, error.suggestion)


def worst(answers: Iterable[Answer | Refusal]) -> Verdict:
    """The most severe verdict; clean where there is none."""
    verdicts = (answer.verdict for answer in answers if isinstance(answer, Answer))
    return max(verdicts, key=lambda verdict: verdict.severity, default=Verdict.CLEAN)
