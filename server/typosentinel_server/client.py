"""Asking a server over its HTTP API."""

import json
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from typosentinel_server.answers import Answer, Question, Refusal
from typosentinel_server.errors import ServerUnreachable, shown
from typosentinel_server.scan.model import Contribution, Finding, Technique, Verdict

TIMEOUT_SECONDS = 10.0


class RemoteJudge:
    """Answers from a server, over one connection that is kept open while the server keeps it.

    Args:
        url: where the server is, such as `http://127.0.0.1:8080`; a path in front of `/api` is kept.

    Raises:
        ServerUnreachable: the address is none.
    """

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise _unreachable(url, str(error)) from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise _unreachable(url, "it is no http:// or https:// address")
        kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
        self._url = url
        self._path = parts.path.rstrip("/") + "/api/v1/scan"
        self._connection = kind(parts.hostname, port, timeout=TIMEOUT_SECONDS)

    def __call__(self, question: Question) -> Answer | Refusal:
        """The answer. Raises ServerUnreachable where there is no usable one."""
        body = json.dumps({"ecosystem": question.ecosystem, "name": question.name})
        response = self._post(body)
        try:
            content = json.loads(response.read())
            if response.status == HTTPStatus.OK:
                return _answer(question, content, response.getheader("X-Served-By"))
            error = content["error"]
            if response.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                return Refusal(error["code"], error["message"], error["suggestion"])
            reason = f"it says {response.status}: {error['message']}"
        except (ValueError, KeyError, TypeError, HTTPException, OSError) as error:
            raise _unreachable(self._url, f"no answer of ours, status {response.status}") from error
        raise _unreachable(self._url, reason)

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def _post(self, body: str) -> HTTPResponse:
        headers = {"Content-Type": "application/json", "User-Agent": "typosentinel-cli"}
        for last in (False, True):
            try:
                self._connection.request("POST", self._path, body, headers)
                return self._connection.getresponse()
            except (OSError, HTTPException) as error:
                # A server on its way out may close a kept connection as it is used: once is no failure.
                self._connection.close()
                if last:
                    raise _unreachable(self._url, str(error) or type(error).__name__) from error
        raise AssertionError("the loop returns or raises")


def _answer(question: Question, content: dict[str, Any], served_by: str | None) -> Answer:
    findings = tuple(
        Finding(
            technique=Technique(finding["technique"]),
            target=finding["target"],
            rank=finding["targetRank"],
            message=finding["message"],
            score=finding["score"],
            contributions=tuple(Contribution(c["reason"], c["weight"]) for c in finding["contributions"]),
        )
        for finding in content["findings"]
    )
    return Answer(
        question=question,
        verdict=Verdict(content["verdict"]),
        score=content["score"],
        known=content["known"],
        rank=content["rank"],
        targets=tuple(content["targets"]),
        findings=findings,
        compared_with=content["corpusVersion"],
        served_by=served_by,
    )


def _unreachable(url: str, why: str) -> ServerUnreachable:
    return ServerUnreachable(
        "SERVER_UNREACHABLE",
        f"no answer from {shown(url)}: {why}",
        "Check the address, and that the server is ready: GET /ready.",
    )
