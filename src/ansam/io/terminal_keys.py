"""The keys of the terminal: everything goes to the modem, but for what follows Ctrl-A, as in minicom."""

from dataclasses import dataclass
from enum import Enum

PREFIX = 0x01


class Order(Enum):
    """What Ctrl-A and a letter ask for."""

    HELP = "Z"
    EXIT_RESET = "X"
    QUIT = "Q"
    HANG_UP = "H"
    DIAL = "D"
    ECHO = "E"
    CLEAR = "C"


ORDERS = {ord(order.value): order for order in Order}


@dataclass(frozen=True, slots=True)
class Send:
    """Octets for the modem."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Do:
    """An order for the terminal itself."""

    order: Order


class Keys:
    """Splits what is typed. Pure: the same keys give the same, however they were read in pieces."""

    def __init__(self) -> None:
        self._prefixed = False

    def feed(self, data: bytes) -> list[Send | Do]:
        """Take typed octets; an unknown letter after Ctrl-A is dropped."""
        out: list[Send | Do] = []
        plain = bytearray()
        for octet in data:
            if not self._prefixed:
                if octet == PREFIX:
                    self._prefixed = True
                else:
                    plain.append(octet)
                continue
            self._prefixed = False
            if octet in (PREFIX, ord("a"), ord("A")):
                plain.append(PREFIX)
                continue
            # Ctrl-A Ctrl-X means the same as Ctrl-A x.
            order = ORDERS.get(octet | 0x40 if octet < 0x20 else octet & ~0x20)
            if order is not None:
                if plain:
                    out.append(Send(bytes(plain)))
                    plain.clear()
                out.append(Do(order))
        if plain:
            out.append(Send(bytes(plain)))
        return out


HELP = (
    "Commands: press Ctrl-A, then",
    "",
    "  Z  this help             A  send a Ctrl-A",
    "  D  dial a number         H  hang up",
    "  E  local echo on/off     C  clear the screen",
    "  Q  quit, leave the modem as it is",
    "  X  hang up, reset the modem and exit",
    "",
    "Press any key.",
)
