"""Asking a server over its HTTP API."""

import json
import re
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from urllib.parse import urlsplit

from pydantic import BaseModel

from typosentinel_server.answers import Answer, Question, Refusal
from typosentinel_server.errors import ServerUnreachable, printable, shown
from typosentinel_server.scan.model import Allowance, Contribution, Finding, Technique
from typosentinel_server.schemas import ErrorResponse, ScanResponse

TIMEOUT_SECONDS = 10.0
MAX_ANSWER_BYTES = 2**20
# The answers that are about the name; all others say that this server judges nothing.
ABOUT_THE_NAME = frozenset({HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.REQUEST_ENTITY_TOO_LARGE})
NDJSON = "application/x-ndjson"
BATCH_NAMES = 500
NO_BATCHES = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})
# Errors of an item that say nothing about its name.
OF_THE_SERVER = frozenset({"WORKER_DIED", "WORKERS_BUSY", "WORKERS_GONE", "BATCH_TIMED_OUT", "BATCH_ENDED"})
USERINFO = re.compile(r"^([a-z][a-z0-9+.-]*://)?.*@", re.IGNORECASE | re.DOTALL)


class LineError(BaseModel):
    """Why an item of a batch has no judgement."""

    code: str
    message: str
    suggestion: str


class BatchLine(BaseModel):
    """One answer of a batch."""

    index: int
    result: ScanResponse | None = None
    error: LineError | None = None


class RemoteJudge:
    """Answers from a server, over one connection that is kept open while the server keeps it.

    Args:
        url: where the server is, such as `http://127.0.0.1:8080`; a path in front of `/api` is kept.

    Raises:
        ServerUnreachable: the address is none.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        try:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise _unreachable(url, "it is no http:// or https:// address")
            kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
            self._connection = kind(parts.hostname, parts.port, timeout=TIMEOUT_SECONDS)
        except (ValueError, HTTPException) as error:
            raise _unreachable(url, str(error)) from error
        self._path = parts.path.rstrip("/") + "/api/v1/scan"
        self._batch_path: str | None = parts.path.rstrip("/") + "/api/v1/batch"

    def __call__(self, question: Question) -> Answer | Refusal:
        """The answer. Raises ServerUnreachable where there is no usable one."""
        body = json.dumps({"ecosystem": question.ecosystem, "name": question.name})
        with self._post(self._path, body, "application/json") as response:
            try:
                content = response.read(MAX_ANSWER_BYTES)
                if response.status == HTTPStatus.OK:
                    found = ScanResponse.model_validate_json(content, extra="ignore")
                    return _answer(question, found, response.getheader("X-Served-By"))
                error = ErrorResponse.model_validate_json(content, extra="ignore").error
            except (ValueError, HTTPException, OSError) as mistake:
                raise _unreachable(self._url, f"no answer of ours, status {response.status}") from mistake
            if response.status in ABOUT_THE_NAME:
                return Refusal(error.code, error.message, error.suggestion)
            raise _unreachable(self._url, f"it says {response.status}: {error.message}")

    def many(self, questions: Sequence[Question]) -> Iterator[Answer | Refusal]:
        """The answers in order, asked for some hundred at a time. Raises ServerUnreachable as above."""
        for start in range(0, len(questions), BATCH_NAMES):
            some = questions[start : start + BATCH_NAMES]
            given = 0
            for answer in self._batch(some):
                given += 1
                yield answer
            # An older server knows no batches.
            yield from map(self, some[given:])

    def _batch(self, questions: Sequence[Question]) -> Iterator[Answer | Refusal]:
        if self._batch_path is None or len(questions) == 1:
            return
        lines = [json.dumps({"ecosystem": q.ecosystem, "name": q.name}) for q in questions]
        with self._post(self._batch_path, "\n".join(lines), NDJSON) as response:
            if response.status in NO_BATCHES:
                self._batch_path = None
                response.read(MAX_ANSWER_BYTES)
                return
            if response.status != HTTPStatus.OK:
                raise _unreachable(self._url, f"it says {response.status} to a batch")
            served_by = response.getheader("X-Served-By")
            try:
                lines_read = [response.readline(MAX_ANSWER_BYTES) for _ in questions]
                response.read(MAX_ANSWER_BYTES)
                found = [BatchLine.model_validate_json(line, extra="ignore") for line in lines_read]
                if [line.index for line in found] != list(range(len(questions))):
                    raise ValueError("the answers are not in order")  # noqa: TRY301 - one place says what is wrong
            except (ValueError, HTTPException, OSError) as mistake:
                raise _unreachable(self._url, "no answer of ours to a batch") from mistake
        for question, line in zip(questions, found, strict=True):
            yield self._answer_of(question, line, served_by)

    def _answer_of(self, question: Question, line: "BatchLine", served_by: str | None) -> Answer | Refusal:
        if line.result is not None:
            return _answer(question, line.result, served_by)
        if line.error is None or line.error.code in OF_THE_SERVER:
            # It had trouble of its own; perhaps one name alone is no trouble.
            return self(question)
        return Refusal(line.error.code, line.error.message, line.error.suggestion)

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def _post(self, path: str, body: str, kind: str) -> HTTPResponse:
        headers = {"Content-Type": kind, "User-Agent": "typosentinel-cli"}
        for last in (False, True):
            try:
                self._connection.request("POST", path, body, headers)
                return self._connection.getresponse()
            except (OSError, HTTPException, ValueError) as error:
                # A server on its way out may close a kept connection as it is used: once is no failure.
                self._connection.close()
                if last:
                    raise _unreachable(self._url, str(error) or type(error).__name__) from error
        raise AssertionError("the loop returns or raises")


def _answer(question: Question, content: ScanResponse, served_by: str | None) -> Answer:
    findings = tuple(
        Finding(
            technique=Technique(finding.technique),
            target=finding.target,
            rank=finding.target_rank,
            message=finding.message,
            score=finding.score,
            contributions=tuple(Contribution(c.reason, c.weight) for c in finding.contributions),
            cleared=finding.cleared,
            target_ecosystem=finding.target_ecosystem,
        )
        for finding in content.findings
    )
    return Answer(
        question=question,
        verdict=content.verdict,
        score=content.score,
        known=content.known,
        rank=content.rank,
        targets=tuple(content.targets),
        findings=findings,
        compared_with=content.corpus_version,
        served_by=served_by,
        allowances=tuple(
            Allowance(entry=a.entry, reason=a.reason, expires=a.expires, target=a.target, expired=a.expired)
            for a in content.allowances
        ),
    )


def _unreachable(url: str, why: str) -> ServerUnreachable:
    return ServerUnreachable(
        "SERVER_UNREACHABLE",
        f"no answer from {shown(USERINFO.sub(_scheme, url))}: {printable(why, 200)}",
        "Check the address, and that the server is ready: GET /ready.",
    )


def _scheme(match: re.Match[str]) -> str:
    return match[1] or ""
