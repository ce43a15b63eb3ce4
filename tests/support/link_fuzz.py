"""What a line may bring, as one function of octets per decoder; run as a script, atheris drives one of them.

python -m tests.support.link_fuzz TARGET [libFuzzer options]
"""

import contextlib
import sys

import numpy as np

from ansam.errors import RemoteProtocolError
from ansam.link import hdlc, v42bis, v44
from ansam.link.v42 import xid
from ansam.link.v42.frames import Frame, Kind
from ansam.link.v42.lapm import Lapm
from ansam.link.v42.link import V42Link, V42Options
from ansam.link.v42.timing import RoundTrip

FLOOD = 65536
"""Characters a decoder may return for one input."""

_receiver = hdlc.Receiver(256)
_v42bis = v42bis.Decoder(1024, 32)
_v44 = v44.Decoder(1024, 64, 2048)


class _Nothing:
    def take(self, limit):
        return b""

    def waiting(self):
        return False


def _bits(data):
    return np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")


def _frames(data):
    """Cut octets into frames: a length, then as many octets."""
    position = 0
    while position < len(data):
        length = data[position] & 31
        yield data[position + 1 : position + 1 + length]
        position += 1 + length


def fuzz_hdlc(data):
    for frame in _receiver.receive(_bits(data)):
        assert 2 <= len(frame) <= 254


def fuzz_lapm(data):
    if not data:
        return
    originator = bool(data[0] & 1)
    lapm = Lapm(originator, _Nothing(), xid.Parameters(srej=bool(data[0] & 2)), RoundTrip(2400))
    if originator and data[0] & 4:
        lapm.negotiate(0)
    elif originator:
        lapm.establish(0)
        lapm.receive_frame(Frame(Kind.UA, False, True).encode(False), 1)
    elif data[0] & 4:
        lapm.receive_frame(Frame(Kind.SABME, True, True).encode(True), 1)
    for number, frame in enumerate(_frames(data[1:])):
        # The address is most often ours, or nothing would get any further.
        address = bytes((0x01 | (frame[0] & 2),)) if frame and frame[0] & 0xF0 else frame[:1]
        lapm.receive_frame(address + frame[1:], number * 400)
        lapm.next_frame(number * 400)
        lapm.handle_timer(number * 400)
        lapm.take_data()
        lapm.take_events()


def fuzz_xid(data):
    for information in (data, b"\x82" + data):
        with contextlib.suppress(RemoteProtocolError):
            values = xid.decode(information)
            chosen = xid.respond(values, xid.Parameters(n401=(512, 512), k=(63, 63), srej=True))
            assert max(chosen.k) <= 63
            assert max(chosen.n401) <= 512


def fuzz_v42bis(data):
    _v42bis.initialise()
    with contextlib.suppress(RemoteProtocolError):
        assert len(_v42bis.decode(data, limit=FLOOD)) <= FLOOD + 256


def fuzz_v44(data):
    _v44.initialise()
    with contextlib.suppress(RemoteProtocolError):
        assert len(_v44.decode(data, limit=FLOOD)) <= FLOOD + 256


def fuzz_link(data):
    link = V42Link(bool(data and data[0] & 1), V42Options(detection=not (data and data[0] & 2)), 9600)
    link.start(0)
    queue = list(_frames(data[1:]))
    transmitter = hdlc.Transmitter(lambda: queue.pop(0) if queue else None)
    for step in range(1, 12):
        now = step * 160
        link.receive_bits(transmitter.pull(192) if step % 2 else _bits(data[:24]), now)
        assert len(link.pull(192)) == 192
        link.handle_timer(now)
        link.take_data()
        link.take_events()


TARGETS = {
    "hdlc": fuzz_hdlc,
    "lapm": fuzz_lapm,
    "xid": fuzz_xid,
    "v42bis": fuzz_v42bis,
    "v44": fuzz_v44,
    "link": fuzz_link,
}


if __name__ == "__main__":
    import atheris

    atheris.Setup(sys.argv[:1] + sys.argv[2:], TARGETS[sys.argv[1]])
    atheris.Fuzz()
