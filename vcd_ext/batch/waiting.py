"""Which unit is next for a worker that asks: trainings first, then small before large, and each after what it needs."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from vcd_ext.batch.run import blocked
from vcd_ext.batch.unit import TRAINING, Unit, UnitResult

AGAIN = 2  # times that a unit whose worker died is begun anew: both a worker and a machine may be lost by chance


class Waiting:
    """The units that nobody has begun. `size`: how much work a unit is, in any measure."""

    def __init__(self, units: Sequence[Unit], size: Callable[[Unit], float]):
        self._units = {unit.name: unit for unit in units}
        self._order = {unit.name: (unit.kind != TRAINING, size(unit), k) for k, unit in enumerate(units)}
        self._unfinished = set(self._units)
        self._failed, self._lost = set[str](), dict[str, int]()

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._units)

    def take(self, loaded: Path | None) -> Unit | None:
        """Take the next unit that can be begun; None if each needs one that is not finished.

        loaded: the worker's checkpoint. Of units of one kind those of this checkpoint come first, for loading another
        costs time.
        """
        ready = [unit for unit in self._units.values() if not self._unfinished.intersection(unit.needs)]
        if not ready:
            return None
        unit = min(ready, key=lambda unit: self._rank(unit, loaded))
        return self._units.pop(unit.name)

    def _rank(self, unit: Unit, loaded: Path | None) -> tuple[bool, bool, float, int]:
        later, size, number = self._order[unit.name]
        return later, unit.work.models.checkpoint != loaded, size, number

    def finished(self, result: UnitResult) -> Iterable[UnitResult]:
        """Take note of a result. Returns the results of the units that cannot be done any more."""
        self._unfinished.discard(result.name)
        if not result.error:
            return []
        self._failed.add(result.name)
        found = [one for unit in self._units.values() if (one := blocked(unit, self._failed))]
        for one in found:
            del self._units[one.name]
            self._unfinished.discard(one.name)
        return found

    def lost(self, unit: Unit) -> UnitResult | None:
        """Take a unit back whose worker died; its result if that was once too often."""
        self._lost[unit.name] = self._lost.get(unit.name, 0) + 1
        if self._lost[unit.name] > AGAIN:
            reason = f"The worker that made it died, {AGAIN + 1} times; it may need more memory than there is."
            return UnitResult(unit.name, 0.0, reason)
        self._units[unit.name] = unit
        return None
