"""Data for the compressions: what shrinks, what does not, what is made to break them."""

import random

WORDS = b"the carrier of a modem is not the carrier of a ship but both answer the call ".split()


def prose(count, seed=1):
    rng = random.Random(seed)
    return b" ".join(rng.choice(WORDS) for _ in range(count))


def payloads():
    rng = random.Random(7)
    noise = rng.randbytes(20000)
    return {
        "prose": prose(4000),
        "noise": noise,
        "one octet": b"a" * 70000,
        "two octets": bytes(rng.choice(b"ab") for _ in range(20000)),
        "every octet": bytes(range(256)) * 40,
        "prose, noise, prose": prose(2000) + noise + prose(2000, seed=2),
        "eight bits": prose(3000).translate(bytes(k ^ 0x80 if k & 1 else k for k in range(256))),
        "escapes": noise[:500] + bytes(51 * i & 0xFF for i in range(8000)),
        "thirds": b"".join(rng.randbytes(60) + b"\xee" * 40 for _ in range(200)),
        "nothing": b"",
    }
