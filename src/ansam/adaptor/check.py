"""What in an adaptor's settings is in a modem's way."""

from dataclasses import dataclass

from ansam.adaptor.dump import Dump
from ansam.adaptor.settings import LINE, LawName, Model, Setting, Severity, settings_of


@dataclass(frozen=True, slots=True)
class Wrong:
    """A setting that is not as a modem needs it.

    Attributes:
        setting: Which.
        line: Whose, 1 or 2; 0 for a setting of all lines.
        present: Its value.
        wanted: What it should be.
    """

    setting: Setting
    line: int
    present: str
    wanted: str

    @property
    def page(self) -> str:
        """Its page, as the tab is called: ``Line 1``, ``SIP``."""
        return f"{self.setting.page} {self.line}" if self.line else self.setting.page


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found.

    Attributes:
        wrong: Worst first, then in the order of the pages.
        lines: Lines that were looked at.
        disabled: Lines that are switched off and were not.
        missing: Settings that the dump does not have, page and name.
    """

    wrong: tuple[Wrong, ...]
    lines: tuple[int, ...]
    disabled: tuple[int, ...]
    missing: tuple[str, ...]

    @property
    def worst(self) -> Severity | None:
        """Severity of the worst, None where nothing is wrong."""
        return self.wrong[0].setting.severity if self.wrong else None


def check(dump: Dump, law: LawName = "alaw", model: Model | None = None) -> Verdict:
    """Look through a dump.

    Args:
        dump: What the adaptor says.
        law: Of the calls it shall carry.
        model: Make of adaptor; None: what is in the dump says what it has.
    """
    settings = settings_of(model)
    of_lines = [one for one in settings if one.page == LINE]
    present = [n for n in (1, 2) if any(dump.get(one.tag(n)) is not None for one in of_lines)]
    disabled = tuple(n for n in present if _same(dump.get(f"Line_Enable_{n}_") or "yes") == "no")
    lines = tuple(n for n in present if n not in disabled)
    places = [(one, 0) for one in settings if one.page != LINE]
    places += [(one, n) for n in lines for one in of_lines]
    wrong, missing = [], []
    for setting, line in places:
        value = dump.get(setting.tag(line))
        if value is None:
            # A setting that only some models have may be missing because this one is none of them.
            if model is not None or setting.models == frozenset(Model):
                missing.append(f"{setting.page}{f' {line}' if line else ''} > {setting.name}")
        elif not _serves(setting, value, law):
            wrong.append(Wrong(setting, line, value, setting.wanted_for(law)))
    order = list(Severity)
    wrong.sort(key=lambda one: order.index(one.setting.severity))
    return Verdict(tuple(wrong), lines, disabled, tuple(missing))


def _serves(setting: Setting, value: str, law: LawName) -> bool:
    return _same(value) in {_same(one) for one in (setting.wanted_for(law), *setting.accepted)}


def _same(value: str) -> str:
    """Return one spelling for values that mean the same: ``Yes`` and ``yes``, ``.02`` and ``0.020``."""
    value = value.strip().lower()
    try:
        return f"{float(value):g}"
    except ValueError:
        return value
