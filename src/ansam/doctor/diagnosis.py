"""What the doctor says in the end."""

from dataclasses import dataclass, field
from enum import Enum

from ansam.doctor.discovery import Far
from ansam.doctor.prediction import Prediction
from ansam.path import Remedy, System


class Grade(Enum):
    """How good something is for modems."""

    GOOD = "good"
    FAIR = "fair"
    """Costs rate, or a retrain now and then."""
    BAD = "bad"
    """No fast modem survives it, or no modem at all."""

    @property
    def rank(self) -> int:
        """0 for good, 2 for bad."""
        return list(Grade).index(self)


def worst(grades: list[Grade]) -> Grade:
    """Return the worst grade; good for none."""
    return max(grades, key=lambda grade: grade.rank, default=Grade.GOOD)


def graded(value: float, good: float, fair: float) -> Grade:
    """Return the grade of a figure that is better the smaller it is."""
    return Grade.GOOD if value <= good else Grade.FAIR if value <= fair else Grade.BAD


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that was examined.

    Attributes:
        name: What, such as ``round trip``.
        value: Figure or word.
        unit: Of the figure, or "".
        grade: How good that is.
        text: A sentence that says what it means.
        remedies: Settings to change, where that helps.
    """

    name: str
    value: float | str
    unit: str
    grade: Grade
    text: str
    remedies: tuple[Remedy, ...] = ()

    @property
    def shown(self) -> str:
        """The value with its unit."""
        if isinstance(self.value, str):
            return self.value
        figure = f"{self.value:.0f}" if abs(self.value) >= 100 else f"{self.value:.3g}"
        return f"{figure} {self.unit}".strip()

    def as_dict(self) -> dict[str, object]:
        """Return the JSON object."""
        return {
            "name": self.name,
            "value": self.value if isinstance(self.value, str) else round(self.value, 3),
            "unit": self.unit,
            "grade": self.grade.value,
            "text": self.text,
            "remedies": [
                {"system": r.system.value, "setting": r.setting, "value": r.value} for r in self.remedies
            ],
        }


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All of it.

    Attributes:
        far: What answered.
        grade: Of the whole: the worst of the items.
        items: In the order of importance.
        prediction: What line rate to expect.
        connect: CONNECT text of a call that connected, or "".
        seconds: Of talking path.
    """

    far: Far
    grade: Grade
    items: tuple[Item, ...]
    prediction: Prediction
    connect: str = ""
    seconds: float = 0.0
    summary: str = field(default="")

    def item(self, name: str) -> Item:
        """Return the item of a name.

        Raises:
            KeyError: It was not examined.
        """
        for item in self.items:
            if item.name == name:
                return item
        raise KeyError(name)

    @property
    def remedies(self) -> tuple[Remedy, ...]:
        """All settings to change, each once: for the worst item that names it."""
        ordered = sorted(self.items, key=lambda item: -item.grade.rank)
        chosen: dict[tuple[System, str], Remedy] = {}
        for remedy in (remedy for item in ordered for remedy in item.remedies):
            chosen.setdefault((remedy.system, remedy.setting), remedy)
        return tuple(chosen.values())

    def as_dict(self) -> dict[str, object]:
        """Return the JSON object."""
        return {
            "far_end": self.far.value,
            "grade": self.grade.value,
            "summary": self.summary,
            "connect": self.connect,
            "predicted": {
                "rate": self.prediction.rate,
                "n": self.prediction.index,
                "snr_db": None if self.prediction.snr_db is None else round(self.prediction.snr_db, 1),
                "symbol_rate": self.prediction.symbol_rate,
                "reasons": list(self.prediction.reasons),
            },
            "items": [item.as_dict() for item in self.items],
            "seconds": round(self.seconds, 2),
        }
