"""`ansam warm`: compile the signal processing, with a progress bar.

The kernels carry explicit signatures, so importing a module compiles its kernels; numba keeps the result on
disk. A call must never wait for a compiler, so every command that runs a modem does this before it goes on
line.
"""

import importlib
import pkgutil
import sys

from rich.console import Console
from rich.progress import Progress

import ansam

KERNEL_PACKAGES = ("codec", "coding", "dsp", "line", "tones", "path", "modulation")


def kernel_modules() -> list[str]:
    """Return the names of all modules that may hold compiled kernels."""
    names = []
    for package in KERNEL_PACKAGES:
        path = [f"{root}/{package}" for root in ansam.__path__]
        names += [f"ansam.{package}"]
        names += [module.name for module in pkgutil.walk_packages(path, f"ansam.{package}.")]
    return names


def warm_up(console: Console | None = None) -> None:
    """Import every kernel module; show a progress bar on stderr where a person watches and it takes long."""
    names = [name for name in kernel_modules() if name not in sys.modules]
    console = console or Console(stderr=True)
    with Progress(console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("Compiling the signal processing", total=len(names))
        for name in names:
            importlib.import_module(name)
            progress.advance(task)


def warm() -> None:
    """Compile the signal processing ahead of the first call (done once for each version)."""
    warm_up()
    print("ready")
