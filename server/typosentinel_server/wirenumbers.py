"""Numbers on the wire: JSON knows one kind, so 60.0 is as whole as 60."""

from typing import Any, Final

from pydantic import BeforeValidator


def whole(value: Any) -> Any:
    """A whole number where one is written with a point; anything else as it is."""
    if isinstance(value, bool):
        # To Python these are numbers.
        return None
    return int(value) if isinstance(value, float) and value.is_integer() else value


# To stand last: what is said of the bounds before it is in the schema, what is said after it is not.
WHOLE: Final = BeforeValidator(whole)
