"""Log lines: what failed, and no secret with it."""

import pytest

from typosentinel_server.logs import Log
from typosentinel_server.settings import LogLevel


@pytest.mark.parametrize("form", ["json", "console"])
def test_traceback_shows_no_variables(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Where it failed is in the log; what the variables held is not, for that may be a caller's password."""
    headers = {"Authorization": "Bearer hidden"}
    log = Log("json" if form == "json" else "console", LogLevel.INFO)
    try:
        headers["missing"]
    except KeyError as error:
        log.write.error("failed", exc_info=error)
    logged = capsys.readouterr().err

    assert "test_traceback_shows_no_variables" in logged
    assert "KeyError" in logged
    assert "hidden" not in logged
