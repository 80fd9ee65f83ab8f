"""What docs/providers.md and README.md show of providers, tried."""

import re
from pathlib import Path

import orjson

from typosentinel_server.providers.gleaned import State
from typosentinel_server.schemas import EvidenceBody
from typosentinel_server.sections.providers import SHAPES_OF, Shape
from typosentinel_server.settings import parse_settings

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "providers.md").read_text(encoding="utf-8")


def documents(page: str) -> list[str]:
    """Configuration documents with providers on a page."""
    blocks: list[str] = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return [block for block in blocks if "\nproviders:" in block]


def test_documents_on_the_pages_are_right() -> None:
    """A server would take them."""
    shown = [*documents(PAGE), *documents((ROOT / "README.md").read_text(encoding="utf-8"))]
    assert len(shown) == 2
    for document in shown:
        assert parse_settings(document.encode(), "c.yaml").providers.configured


def test_every_shape_and_state_is_told() -> None:
    """In the tables, and the one that may be left out first."""
    rows = re.findall(r"^\| `([^`]+)` \|", PAGE, re.MULTILINE)
    assert {*Shape, *State} <= set(rows)
    shapes = [row for row in rows if row in set(Shape)]
    assert shapes == [shape for shapes_of in SHAPES_OF.values() for shape in shapes_of]


def test_the_answer_on_the_page_is_one() -> None:
    """Of the form that the schema gives."""
    (block,) = re.findall(r"^```json\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    for piece in orjson.loads(block)["evidence"]:
        assert EvidenceBody.model_validate_json(orjson.dumps(piece)).provider
