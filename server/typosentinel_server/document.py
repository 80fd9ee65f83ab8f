"""YAML read with care: every value knows its line, and nothing surprising is let in.

Duplicate keys, anchors, tags and several documents are refused; they hide what a configuration says.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml

from typosentinel_server.errors import ConfigurationInvalid, shown

MAX_BYTES = 64 * 1024
MAX_DEPTH = 20
MAX_NUMBER_BITS = 64

Place = tuple[str | int, ...]


def digest_of(content: bytes) -> str:
    """The hash under which a document is known: "sha256:" and 64 hex digits."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


@dataclass(frozen=True, slots=True)
class Document:
    """A YAML mapping.

    Attributes:
        content: plain Python values.
        lines: the line, counted from 1, of every key and item.
    """

    content: dict[str, Any]
    lines: dict[Place, int] = field(default_factory=dict)

    @property
    def parts(self) -> set[str | int]:
        """Every key that occurs at any depth."""
        return {part for place in self.lines for part in place}

    def value_at(self, place: Place) -> Any:
        """The value at a place that the document has."""
        found: Any = self.content
        for part in place:
            found = found[part]
        return found

    def line_of(self, place: Place) -> int:
        """The line of a place, or of the closest thing around it that the document has."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def parse_document(content: bytes, where: str, max_bytes: int = MAX_BYTES) -> Document:
    """A document from its bytes, at most so many. A megabyte takes some four seconds.

    Raises:
        ConfigurationInvalid: with file and line.
    """
    if len(content) > max_bytes:
        raise _invalid(where, 1, f"the file is larger than {max_bytes} bytes")
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _invalid(where, line, "this is not UTF-8") from error
    try:
        _refuse_surprises(text, where)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _invalid(where, mark.line + 1 if mark else 1, error.problem or "this is not YAML") from error
    except yaml.YAMLError as error:
        raise _invalid(where, 1, "this is not YAML") from error
    if not isinstance(root, yaml.MappingNode):
        raise _invalid(where, 1, "the document is not a mapping with apiVersion and kind")
    reader = _Reader(where)
    return Document(reader.mapping(root, ()), reader.lines)


class _Reader:
    def __init__(self, where: str) -> None:
        self._where = where
        self._scalars = yaml.SafeLoader("")
        self.lines: dict[Place, int] = {(): 1}

    def value(self, node: yaml.Node, place: Place) -> Any:
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, place)
        if isinstance(node, yaml.SequenceNode):
            return list(self._items(node, place))
        try:
            found = self._scalars.construct_object(node, deep=True)
        except (yaml.YAMLError, ValueError, ArithmeticError) as error:
            raise _invalid(self._where, _line(node), "this value cannot be read") from error
        if isinstance(found, int) and found.bit_length() > MAX_NUMBER_BITS:
            raise _invalid(self._where, _line(node), "this number is too large")
        return found

    def mapping(self, node: yaml.MappingNode, place: Place) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key, str):
                raise _invalid(self._where, _line(key_node), "a key is a text")
            if key in found:
                raise _invalid(self._where, _line(key_node), f"the key {shown(key)} stands here a second time")
            self.lines[(*place, key)] = _line(key_node)
            found[key] = self.value(value_node, (*place, key))
        return found

    def _items(self, node: yaml.SequenceNode, place: Place) -> Iterator[Any]:
        for n, item in enumerate(node.value):
            self.lines[(*place, n)] = _line(item)
            yield self.value(item, (*place, n))


def _refuse_surprises(text: str, where: str) -> None:
    # Reads event by event, so that deep nesting ends here and costs no more than it must.
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if getattr(event, "anchor", None) is not None:
            raise _invalid(where, line, "anchors and aliases are not allowed here")
        if getattr(event, "tag", None) is not None:
            raise _invalid(where, line, "tags are not allowed here")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise _invalid(where, line, f"this is nested more than {MAX_DEPTH} deep")


def _line(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def _invalid(where: str, line: int, what: str) -> ConfigurationInvalid:
    return ConfigurationInvalid(
        "CONFIGURATION_INVALID",
        f"{where}:{line}: {what}",
        "Correct the document; nothing of it was applied.",
    )
