"""Numbers on the wire: JSON knows one kind, so 60.0 is as whole as 60."""

from typing import Annotated, Any

from pydantic import BeforeValidator


def whole(value: Any) -> Any:
    """A whole number where one is written with a point; anything else as it is."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[int, BeforeValidator(whole)]
