"""Answers for a person at a terminal."""

from collections.abc import Callable, Sequence

from typosentinel_server.answers import Answer, Question, Refusal
from typosentinel_server.errors import printable
from typosentinel_server.scan.model import Allowance, Verdict

MAX_NAME_WIDTH = 40
COLOURS = {
    Verdict.CLEAN: "green",
    Verdict.ADVISORY: "yellow",
    Verdict.SUSPICIOUS: "red",
    Verdict.MALICIOUS: "magenta",
}
REFUSED = "refused"
VERDICT_WIDTH = max(len(verdict) for verdict in Verdict)
SENTENCE = 200

Paint = Callable[[str, str], str]


def name_width(questions: Sequence[Question]) -> int:
    """The width of the column of names, at most 40 characters."""
    return min(MAX_NAME_WIDTH, max((len(printable(q.name, MAX_NAME_WIDTH)) for q in questions), default=0))


def line(question: Question, answer: Answer | Refusal, width: int, paint: Paint) -> str:
    """One answer on one line: name, verdict, score, and the sentence that says why.

    Args:
        question: what was asked.
        answer: what was answered.
        width: of the column of names.
        paint: colours a text: (text, colour) to text.
    """
    name = printable(question.name, MAX_NAME_WIDTH).ljust(width)
    if isinstance(answer, Refusal):
        why = f"{_sentence(answer.reason)}. {_sentence(answer.suggestion)}"
        return f"{name}  {paint(REFUSED.ljust(VERDICT_WIDTH), 'cyan')}    -  {why}"
    verdict = paint(answer.verdict.ljust(VERDICT_WIDTH), COLOURS[answer.verdict])
    # Cut, not rounded: evidence in a name never amounts to 1.00.
    return f"{name}  {verdict} {int(answer.score * 100) / 100:.2f}  {reason(answer)}"


def reason(answer: Answer) -> str:
    """Why the verdict is what it is, a clean one too."""
    expired = "".join(f"; {_allowance(allowance)}" for allowance in answer.allowances if allowance.expired)
    if not answer.findings:
        return _unfound(answer) + expired
    strongest = answer.findings[0]
    message = _sentence(strongest.message)
    if answer.verdict is not Verdict.CLEAN:
        return message + expired
    in_force = [allowance for allowance in answer.allowances if not allowance.expired]
    if strongest.cleared and in_force:
        about = [allowance for allowance in in_force if allowance.target in (None, strongest.target)]
        return f"{message}, but {_allowance((about or in_force)[0])}"
    excuse = min(strongest.contributions, key=lambda c: c.weight)
    return f"{message}, but {_sentence(excuse.reason)}{expired}"


def _unfound(answer: Answer) -> str:
    if answer.known:
        return "on the list" + (f" (rank {answer.rank})" if answer.rank else "")
    return "not known as popular, nothing similar found"


def _allowance(allowance: Allowance) -> str:
    entry, reason = printable(allowance.entry, MAX_NAME_WIDTH), _sentence(allowance.reason)
    if allowance.expired:
        return f'its allowance ("{entry}": {reason}) ended on {allowance.expires}'
    until = f" until {allowance.expires}" if allowance.expires else ""
    return f'allowed{until} ("{entry}": {reason})'


def footer(answers: Sequence[Answer | Refusal]) -> str:
    """Who answered, where servers did; empty otherwise."""
    servers = sorted({a.served_by for a in answers if isinstance(a, Answer) and a.served_by})
    return f"answered by {', '.join(printable(server, MAX_NAME_WIDTH) for server in servers)}" if servers else ""


def _sentence(text: str) -> str:
    return printable(text, SENTENCE)
