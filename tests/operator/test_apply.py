"""What is remembered of children between two passes."""

from typing import Any

import pytest

from typosentinel_operator import apply, names
from typosentinel_operator.apply import Contested

Manifest = dict[str, Any]


def deployment(uid: str, image: str) -> Manifest:
    """A Deployment with a field that admission may change."""
    meta = {"uid": uid, "annotations": {names.ANNOTATION_MANIFEST_HASH: "one"}}
    return {"kind": "Deployment", "metadata": meta, "spec": {"image": image}}


def test_fields_that_are_changed_back_are_remembered_of_the_last_children(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those that have gone nobody tells; a child that is forgotten costs one write."""
    monkeypatch.setattr(apply, "_CONTESTED", 2)
    contested = Contested()
    for number in range(3):
        wanted = {"kind": "Deployment", "metadata": deployment("", "")["metadata"] | {"uid": str(number)}}
        contested.note(wanted | {"spec": {"image": "ours"}}, deployment(str(number), "mirror/ours"))
    known = [
        contested.covers(deployment("", "ours"), deployment(str(number), "mirror/ours"), ["spec.image"])
        for number in range(3)
    ]
    assert known == [False, True, True]
