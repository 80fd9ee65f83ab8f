"""What the pages say of errors, read off the code."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_every_code_of_an_http_error_is_on_its_page() -> None:
    """Clients branch on codes."""
    page = (ROOT / "docs" / "reference" / "http-api.md").read_text(encoding="utf-8")
    package = ROOT / "server" / "typosentinel_server"
    rooms = [
        package / f"{room}.py"
        for room in (
            "front",
            "edge/connection",
            "edge/objections",
            "problems",
            "middleware",
            "jsonhttp",
            "views",
            "benchmarkviews",
            "benchmarks",
            "wirejson",
            "scan/naming",
            "scan/methods",
        )
    ]
    raised = {code for room in rooms for code in re.findall(r'^\s+"([A-Z]+_[A-Z_]+)",', room.read_text(), re.MULTILINE)}
    raised |= {code for room in rooms for code in re.findall(r'\("([A-Z]+_[A-Z_]+)", ', room.read_text())}

    assert len(raised) > 15
    assert {code for code in raised - {"CLIENT_GONE"} if f"`{code}`" not in page} == set()
