"""IP packets on a serial line (RFC 1055): how the emulator of IP takes and gives them."""

END = b"\xc0"
ESCAPE = b"\xdb"
_LONGEST = 4096


def encode_slip(packet: bytes) -> bytes:
    """Return a packet between two END; the first ends whatever noise there was."""
    return END + packet.replace(ESCAPE, b"\xdb\xdd").replace(END, b"\xdb\xdc") + END


class SlipReader:
    """Finds packets in a stream of octets, however it is cut."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> list[bytes]:
        """Take octets; return the packets that are whole."""
        packets = []
        *ended, rest = data.split(END)
        for piece in ended:
            self._held += piece
            if self._held:
                packets.append(bytes(self._held).replace(b"\xdb\xdc", END).replace(b"\xdb\xdd", ESCAPE))
            self._held.clear()
        self._held += rest
        if len(self._held) > _LONGEST:
            self._held.clear()
        return packets
