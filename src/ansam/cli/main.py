"""The `ansam` command.

Only the subcommand that is asked for is imported: none pays for another's dependencies, and `ansam --help`
answers at once although the signal processing compiles when it is first imported.

A module of a subcommand offers `app` (a typer group) or a function of the subcommand's name
(``_`` for ``-``).
"""

import importlib
import sys
from collections.abc import Callable, Sequence

import typer

from ansam.errors import AnsamError

COMMANDS = {
    "demo": "Exchange, ext 05 answering and ext 07 with a terminal, alone on this machine.",
    "serve": "Run everything the configuration names: exchange, lines, modems, answering.",
    "modem": "Run one modem on a line.",
    "answer": "Answer calls with a login prompt.",
    "ppp": "Serve one caller by PPP on standard input and output.",
    "terminal": "A terminal on a pty, a serial port or TCP.",
    "sim": "One call in virtual time over a simulated circuit.",
    "doctor": "Call a path, examine it, grade it for modems.",
    "listen": "What was negotiated in a recorded call, when, and what was said.",
    "warm": "Compile the signal processing ahead of the first call.",
    "config": "Check a configuration, or print a commented example.",
    "user": "Login users: add, list, remove.",
    "phonebook": "Numbers that lead to places on the network: add, list, remove, import.",
    "extension": "Extensions of the exchange: add, list, remove.",
    "adaptor": "Hardware adaptors: settings for modems, a check, and the same for other exchanges.",
    "calls": "Call records.",
    "install-service": "Install systemd units.",
}


def _stand_in(text: str) -> Callable[[], None]:
    def command() -> None:
        raise AssertionError("a stand-in only fills the help page")

    command.__doc__ = text
    return command


def build(wanted: str | None) -> typer.Typer:
    """Return the command line with one subcommand loaded and the others listed.

    Args:
        wanted: Name of the subcommand that will run, or None for the help page.
    """
    app = typer.Typer(
        help="A whole dial-up network in software.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    for name, text in COMMANDS.items():
        if name != wanted:
            app.command(name)(_stand_in(text))
            continue
        python_name = name.replace("-", "_")
        module = importlib.import_module(f"ansam.cli.{python_name}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name, help=text)
        else:
            app.command(name)(getattr(module, python_name))
    return app


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command line and exit with its code.

    Args:
        arguments: The words after `ansam`; those of the process by default.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    wanted = next((word for word in words if not word.startswith("-")), None)
    try:
        build(wanted)(args=words, prog_name="ansam")
    except AnsamError as error:
        print(f"ansam: {error}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our output is gone (`ansam calls | head`): nothing is wrong.
        sys.stderr.close()
        sys.exit(141)


if __name__ == "__main__":
    main()
