"""V.42bis beside libspandsp's C, and V.44 beside V.42bis: speed and ratio, in one run."""

import ctypes
import pydoc
import random
import time
from contextlib import closing
from pathlib import Path

import pytest
from tests.support import spandsp_v42bis

from ansam.link import v42bis, v44

GPL = Path("/usr/share/common-licenses/GPL-3")
ROOT = Path(__file__).parents[2]
ROUNDS = 15

V44_DEFAULT = (1024, 255, 3072)
V44_EQUAL = (2048, 255, 6144)
V44_LARGE = (2048, 255, 16384)
V44_LARGEST = (65535, 255, 65535)


def best(action):
    """Return the shortest time of several rounds, and the last result."""
    shortest = float("inf")
    for _ in range(ROUNDS):
        started = time.perf_counter()
        result = action()
        shortest = min(shortest, time.perf_counter() - started)
    return shortest, result


def ours(module, data, parameters):
    """Return (ratio, MB/s encoding, MB/s decoding)."""
    encoder, decoder = module.Encoder(*parameters), module.Decoder(*parameters)

    def encode():
        encoder.initialise()
        return encoder.encode(data) + encoder.flush()

    def decode():
        decoder.initialise()
        return decoder.decode(packed)

    encoding, packed = best(encode)
    decoding, out = best(decode)
    assert out == data
    return len(data) / len(packed), len(data) / encoding / 1e6, len(data) / decoding / 1e6


def spandsp(data, parameters):
    """Return the same of libspandsp's C; the output goes nowhere, so that no Python is measured."""
    with closing(spandsp_v42bis.Codec(*parameters)) as codec:
        packed = codec.encode(data) + codec.flush()
        assert codec.decode(packed) == (data, 0)
    library = ctypes.CDLL("libspandsp.so.2")
    library.v42bis_init.restype = ctypes.c_void_p
    nowhere = ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p)  # A handler in C that does nothing.

    def timed(action, source):
        shortest = float("inf")
        for _ in range(ROUNDS):
            handlers = (nowhere, None, 1024, nowhere, None, 1024)
            state = ctypes.c_void_p(library.v42bis_init(None, 3, *parameters, *handlers))
            started = time.perf_counter()
            action(state, source, len(source))
            shortest = min(shortest, time.perf_counter() - started)
            library.v42bis_free(state)
        return len(data) / shortest / 1e6

    speeds = timed(library.v42bis_compress, data), timed(library.v42bis_decompress, packed)
    return len(data) / len(packed), *speeds


def corpora():
    """Kinds of data that cross a modem line, the same on every machine where it says so."""
    rng = random.Random(4)
    names = ("sshd", "cron", "mgetty", "kernel", "postfix/smtpd")
    actions = ("session opened for user", "session closed for user", "failed password for", "connect from")
    log = "".join(
        f"Nov {1 + k // 900:2d} {k // 60 % 24:02d}:{k % 60:02d}:{rng.randrange(60):02d} host "
        f"{rng.choice(names)}[{rng.randrange(300, 32000)}]: {rng.choice(actions)} guest{rng.randrange(40)} "
        f"from 10.{rng.randrange(4)}.{rng.randrange(256)}.{rng.randrange(256)}\n"
        for k in range(3000)
    ).encode()
    source = b"".join(path.read_bytes() for path in sorted((ROOT / "src/ansam").rglob("*.py")))
    return {
        "GPL-3 (text)": GPL.read_bytes(),
        "HTML (pydoc of argparse)": pydoc.HTMLDoc().document(__import__("argparse")).encode(),
        "log lines (made, seed 4)": log,
        "Python (our source)": source[:300000],
        "program (/bin/ls)": Path("/bin/ls").read_bytes(),
        "noise (seed 4)": rng.randbytes(100000),
    }


@pytest.mark.bench
@pytest.mark.peer("libspandsp2")
def test_v42bis_beside_libspandsp_and_v44_on_the_gpl() -> None:
    data, size = GPL.read_bytes(), (2048, 32)
    rows = [
        ("V.42bis ours 2048/32", ours(v42bis, data, size)),
        ("V.42bis libspandsp (C) 2048/32", spandsp(data, size)),
        *(
            (f"V.44 ours {'/'.join(map(str, p))}", ours(v44, data, p))
            for p in (V44_DEFAULT, V44_EQUAL, V44_LARGE, V44_LARGEST)
        ),
    ]
    print(f"\nGPL-3, {len(data)} octets; MB/s of characters, one core, best of {ROUNDS}")
    print(f"  {'':32} ratio  encode  decode")
    for name, (ratio, encode, decode) in rows:
        print(f"  {name:32} {ratio:5.3f}  {encode:6.1f}  {decode:6.1f}")
    figures = dict(rows)
    mine, theirs = figures["V.42bis ours 2048/32"], figures["V.42bis libspandsp (C) 2048/32"]
    assert mine[0] >= 2.14
    assert mine[1] > theirs[1] / 2
    assert mine[2] > theirs[2] / 2
    assert figures["V.44 ours 2048/255/6144"][0] > mine[0]


@pytest.mark.bench
def test_advantage_of_v44_by_kind_of_data() -> None:
    print(f"\n  ratio of {'':22} octets  V.42bis    V.44    V.44    V.44    V.44  gain of")
    print("  (codewords/string/history)              2048/32 default 2048/6k 2048/16k largest   16k")
    for name, data in corpora().items():
        base = ours(v42bis, data, (2048, 32))[0]
        ratios = [ours(v44, data, p)[0] for p in (V44_DEFAULT, V44_EQUAL, V44_LARGE, V44_LARGEST)]
        row = "  ".join(f"{ratio:6.3f}" for ratio in (base, *ratios))
        print(f"  {name:28} {len(data):9}   {row}  {100 * (ratios[2] / base - 1):+5.0f} %")
        assert ratios[2] > 0.99 * base
