"""Words of others in what is printed for people."""

from rich.markup import escape


def plain(words: str) -> str:
    """Return words so that nothing in them marks up, ends a line or works the terminal."""
    return escape("".join(sign if sign.isprintable() else "?" for sign in words))
