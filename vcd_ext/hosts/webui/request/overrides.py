"""Put values on the WebUI's `p` for the length of one run, and take them off again."""

from typing import Any

_ABSENT = object()


class Overrides:
    """What stands on one `p` in place of its own values."""

    def __init__(self, p: Any):
        """Override nothing yet."""
        self.p = p
        self._before: dict[str, Any] = {}  # by name

    def put(self, name: str, value: Any) -> None:
        """Put a value on `p` until `restore`."""
        self._before.setdefault(name, vars(self.p).get(name, _ABSENT))
        setattr(self.p, name, value)

    def restore(self) -> None:
        """Leave `p` as it was."""
        for name, value in self._before.items():
            if value is _ABSENT:
                vars(self.p).pop(name, None)
            else:
                setattr(self.p, name, value)
