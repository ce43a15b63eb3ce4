"""What a far modem sends, made without a modem: seeded QAM, tones and silence, for tests of the path."""

import numpy as np

from ansam.codec import Law
from ansam.line.meddle import Meddling
from ansam.path import ModemFacts
from ansam.path.watch import PathWatch
from ansam.units import FRAME, rms_from_dbm0

SHAPES = {
    "V.22bis": (600.0, 2400.0, 0.75),
    "V.32bis": (2400.0, 1800.0, 0.12),
    "V.34": (24000 / 7, 24000 / 7 * 4 / 7, 0.10),
}
"""Symbol rate, carrier and roll-off."""


def qam(name, seconds, seed, level_dbm0=-13.0):
    """Return scrambled data of a modulation: 16 points, root raised cosine; shape (n,) float32."""
    baud, carrier, roll = SHAPES[name]
    count = round(seconds * 8000)
    rng = np.random.default_rng(seed)
    step = round(24000 / baud)
    symbols = rng.choice([-3, -1, 1, 3], (count * 3 // step + 1, 2)) @ [1, 1j]
    train = np.zeros(len(symbols) * step, complex)
    train[::step] = symbols
    t = np.arange(-48 * step, 48 * step + 1) / step + 1e-9
    pulse = (
        (np.sin(np.pi * t * (1 - roll)) + 4 * roll * t * np.cos(np.pi * t * (1 + roll)))
        / (np.pi * t * (1 - (4 * roll * t) ** 2))
        * np.hanning(len(t))
    )
    size = len(train) + len(pulse)
    shaped = np.fft.ifft(np.fft.fft(train, size) * np.fft.fft(pulse, size))[
        len(pulse) : len(pulse) + 3 * count : 3
    ]
    wave = (shaped * np.exp(2j * np.pi * carrier / 8000 * np.arange(len(shaped)))).real
    return (wave * rms_from_dbm0(level_dbm0) / np.sqrt(np.mean(wave**2))).astype(np.float32)


def call(name, seed=1, seconds=12.0):
    """Return an answerer's second of silence, 2.6 s of ANS, 75 ms of silence and data."""
    n = np.arange(round(2.6 * 8000))
    tone = rms_from_dbm0(-13) * np.sqrt(2) * np.sin(2 * np.pi * 2100 / 8000 * n)
    parts = [np.zeros(8000), tone, np.zeros(600), qam(name, seconds, seed)]
    return np.concatenate(parts).astype(np.float32)


DATA_FROM = 4.2
"""Seconds after which the data of `call` flow."""


def facts(name):
    """Return what the modem says in data mode."""
    baud, carrier, _ = SHAPES[name]
    return ModemFacts(data_mode=True, modulation=name, symbol_rate=baud, carrier_hz=carrier, snr_db=36.0)


def meddle(x, text, tx=None, law=Law.ALAW, seed=1):
    """Return audio as it comes out of a gateway, on the law's values."""
    meddler = Meddling.parse(text).make(law, np.random.default_rng(seed))
    other = np.zeros_like(x) if tx is None else tx
    return law.through(meddler.process(law.through(x), other))


def watched(rx, name=None, tx=None, law=Law.ALAW, cuts=None, erased=()):
    """Return a watch that has seen a call.

    Args:
        rx: Received audio.
        name: Modulation, told from `DATA_FROM` on; None: nobody tells.
        tx: What is sent.
        law: Of the path.
        cuts: Seed of random cuts in place of frames.
        erased: Frames that never arrived.
    """
    watch = PathWatch(law)
    octets = law.encode(rx)
    sent = law.encode(np.zeros_like(rx) if tx is None else tx)
    rng = np.random.default_rng(cuts)
    at = told = 0
    while at < len(octets):
        if name is not None and at >= DATA_FROM * 8000 and at // 8000 > told:
            told = at // 8000
            watch.note_modem(facts(name))
        size = FRAME if cuts is None else min(int(rng.integers(1, 400)), (told + 1) * 8000 - at or 1)
        size = FRAME if cuts is None else max(min(size, 8000 - at % 8000), 1)
        watch.receive(octets[at : at + size], erased=at // FRAME in erased)
        watch.send(sent[at : at + size])
        at += size
    return watch


def kinds(watch):
    """Return the kinds found, by name."""
    return {finding.kind.value for finding in watch.findings}
