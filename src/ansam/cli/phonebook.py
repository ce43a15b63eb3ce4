"""`ansam phonebook`: numbers that lead to places on the network; list, add, remove, import.

The file is `phonebook.toml` in the present directory, or what --book names: the one that ``net:;phonebook=``
gives to a modem, which reads it anew for each call.
"""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from ansam.call.phonebook import Entry, parse_target
from ansam.call.phonebook_import import read_list
from ansam.cli.markup import plain
from ansam.errors import ConfigError
from ansam.io.phonebook_file import FILE_LIMIT, read_book, save_book

app = typer.Typer(no_args_is_help=True)

Book = Annotated[Path, typer.Option("--book", "-b", help="The phone book")]
DEFAULT_BOOK = Path("phonebook.toml")


@app.command("list")
def list_(book: Book = DEFAULT_BOOK) -> None:
    """List the numbers; passwords are not shown."""
    table = Table("number", "to", "rate", "petscii", "name", "notes", box=None)
    for entry in read_book(book).entries:
        to = entry.to if entry.telephone else str(parse_target(entry.to))
        rate, petscii = str(entry.rate or ""), "yes" if entry.petscii else ""
        table.add_row(plain(entry.number), plain(to), rate, petscii, plain(entry.name), plain(entry.notes))
    Console().print(table)


@app.command()
def add(
    number: Annotated[str, typer.Argument(help="What is dialled: digits, * and #")],
    to: Annotated[str, typer.Argument(help="HOST:PORT, tcp://…, telnet://…, ssh://USER@HOST or sip:NUMBER")],
    rate: Annotated[int, typer.Option(help="Highest speed, bit/s")] = 0,
    petscii: Annotated[bool, typer.Option("--petscii", help="A Commodore calls an ASCII host")] = False,
    name: Annotated[str, typer.Option(help="Of the place")] = "",
    notes: Annotated[str, typer.Option(help="Whatever else")] = "",
    book: Book = DEFAULT_BOOK,
) -> None:
    """Add a number."""
    known = read_book(book, missing_ok=True)
    if known.find(number):
        raise ConfigError(f"{book}: number {number} is there already", f"ansam phonebook remove {number}")
    known.add(Entry(number, to, rate, petscii, name, notes))
    save_book(book, known)
    typer.echo(f"number {number} added to {book}")


@app.command()
def remove(number: Annotated[str, typer.Argument(help="Number")], book: Book = DEFAULT_BOOK) -> None:
    """Remove a number."""
    known = read_book(book)
    known.remove(number)
    save_book(book, known)
    typer.echo(f"number {number} removed from {book}")


@app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="tcpser options, a Zimodem or RetroWiFiModem phone book")],
    rate: Annotated[int, typer.Option(help="Highest speed for all of them, bit/s")] = 0,
    book: Book = DEFAULT_BOOK,
) -> None:
    """Take over another program's list; numbers that are there already are replaced."""
    try:
        with source.open("rb") as file:
            text = file.read(FILE_LIMIT).decode("utf-8", "replace")
    except OSError as error:
        raise ConfigError(f"{source}: {error.strerror}") from None
    try:
        entries = read_list(text)
    except ConfigError as error:
        raise ConfigError(f"{source}: {error.message}", error.remedy) from None
    known = read_book(book, missing_ok=True)
    for entry in entries:
        known.add(replace(entry, rate=rate or entry.rate))
    save_book(book, known)
    typer.echo(f"{len(entries)} numbers written to {book}")
