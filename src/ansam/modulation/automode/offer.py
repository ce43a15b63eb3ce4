"""What V.8 says of us, from the registry's data, and back from a V.8 mode to a modulation's name."""

from collections.abc import Iterable, Sequence

from ansam.modulation.base import ModulationOptions
from ansam.modulation.registry import MODULATIONS
from ansam.modulation.v8.menu import CallFunction, Menu, Mode


def _mode(name: str) -> Mode | None:
    code = MODULATIONS[name][0].v8_mode
    return Mode[code] if code else None


def our_menu(names: Iterable[str], options: ModulationOptions) -> Menu | None:
    """Return our CM, or None where there is nothing that V.8 could negotiate, or shall.

    The kind of access to the network is not known to a modem behind an adaptor, so it is not said.
    """
    modes = frozenset(mode for name in names if (mode := _mode(name)) is not None)
    if not options.v8 or not modes:
        return None
    return Menu(CallFunction.DATA, modes, lapm=options.lapm)


def name_of(mode: Mode, names: Sequence[str]) -> str:
    """Return the first of the names that the mode stands for."""
    return next(name for name in names if _mode(name) is mode)


def without_code(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that V.8 has no code for (Bell 103)."""
    return tuple(name for name in names if _mode(name) is None)
