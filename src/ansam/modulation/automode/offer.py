"""What V.8 says of us, and back from a V.8 mode to a modulation's name: `CODES` is all there is to it."""

from collections.abc import Iterable, Sequence

from ansam.modulation.base import ModulationOptions
from ansam.modulation.v8.menu import CallFunction, Menu, Mode

CODES = {
    "V.21": Mode.V21,
    "V.22": Mode.V22BIS,
    "V.22bis": Mode.V22BIS,
    "V.32": Mode.V32BIS,
    "V.32bis": Mode.V32BIS,
    "V.34": Mode.V34,
}
"""Modulations by their names in the registry (V.8 (11/2000) Table 4); Bell 103 has no code."""


def our_menu(names: Iterable[str], options: ModulationOptions) -> Menu | None:
    """Return our CM, or None where there is nothing that V.8 could negotiate, or shall.

    The kind of access to the network is not known to a modem behind an adaptor, so it is not said.
    """
    modes = frozenset(mode for name in names if (mode := CODES.get(name)) is not None)
    if not options.v8 or not modes:
        return None
    return Menu(CallFunction.DATA, modes, lapm=options.lapm)


def name_of(mode: Mode, names: Sequence[str]) -> str:
    """Return the first of the names that the mode stands for."""
    return next(name for name in names if CODES.get(name) is mode)


def without_code(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names that V.8 has no code for (Bell 103)."""
    return tuple(name for name in names if name not in CODES)


def without_v8(names: Iterable[str]) -> str:
    """Return what to say where only V.8 could have helped."""
    return f"{', '.join(names)} begins with V.8, which the far end does not speak or the settings forbid"
