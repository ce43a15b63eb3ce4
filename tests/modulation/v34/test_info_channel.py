"""The 600 bit/s channel of phase 2 and its tones: exact on the sending side, robust on the receiving one."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

from ansam.codec import Law
from ansam.modulation.base import Role
from ansam.modulation.v34.info import Info, Info0, Info1a, Info1c
from ansam.modulation.v34.info_channel import (
    CARRIER_HZ,
    SEQUENCE_TAIL,
    Hearing,
    InfoReceiver,
    InfoSender,
)
from ansam.modulation.v34.probing import ProbeSender
from ansam.units import SAMPLE_RATE, Audio, dbm0_from_power, rms_from_dbm0

ROLES = pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
LEVEL = -13.0
ALL = Hearing.FRAME | Hearing.MARKS | Hearing.TONE_GONE | Hearing.REVERSAL
BEGIN, REVERSE, STOP = 800, 4000, 4080


def signal(
    role: Role, info: Info | None = None, reverse: Sequence[int] = (REVERSE,), stop: int = STOP
) -> Audio:
    """A sequence, its tone, reversals, silence."""
    out = np.zeros(stop + 2000, np.float32)
    sender = InfoSender(role, LEVEL)
    sender.begin()
    if info is not None:
        sender.queue(info.encode())
    at = [BEGIN, *reverse, stop]
    for begin, end in pairwise(at):
        sender.add_to(out[begin:end])
        sender.reverse()
    return out


def noise(count: int, snr_db: float, seed: int = 1) -> Audio:
    rng = np.random.default_rng(seed)
    return np.asarray(rms_from_dbm0(LEVEL - snr_db) * rng.standard_normal(count), np.float32)


def shift(x: Audio, hz: float) -> Audio:
    n = np.arange(-128, 129)
    hilbert = np.where(n % 2 != 0, 2 / (np.pi * np.where(n == 0, 1, n)), 0.0) * np.kaiser(257, 6)
    angle = 2 * np.pi * hz * np.arange(len(x)) / SAMPLE_RATE
    quadrature = np.convolve(x, hilbert, "same")
    return np.asarray(x * np.cos(angle) - quadrature * np.sin(angle), np.float32)


class Ear:
    """Feeds a receiver and keeps what it says."""

    def __init__(self, far: Role, watch: Hearing = ALL, tone: int = 400) -> None:
        self.receiver = InfoReceiver(far)
        self.receiver.watch(watch, tone)
        self.now = 0
        self.heard: list[tuple[int, Hearing]] = []
        self.frames: list[Info] = []
        self.reversals: list[tuple[float, bool]] = []

    def feed(self, rx: Audio, erased: bool = False) -> "Ear":
        while len(rx):
            taken, heard = self.receiver.process(rx, erased)
            self.now += taken
            rx = rx[taken:]
            if heard:
                self.heard.append((self.now, heard))
            if Hearing.FRAME in heard and self.receiver.frame is not None:
                self.frames.append(self.receiver.frame)
            if Hearing.REVERSAL in heard:
                self.reversals.append((self.receiver.reversal_at, self.receiver.reversal_certain))
        return self

    def feed_with_gap(self, rx: Audio, begin: int, count: int = 160) -> "Ear":
        junk = np.full(count, 0.9, np.float32)
        return self.feed(rx[:begin]).feed(junk, erased=True).feed(rx[begin + count :])

    def when(self, what: Hearing) -> list[int]:
        return [at for at, heard in self.heard if what in heard]


@ROLES
def test_level_and_instants(role: Role) -> None:
    x = signal(role)
    assert not x[:BEGIN].any()
    assert not x[STOP:].any()
    assert x[BEGIN:STOP].all()
    for part in (x[BEGIN : BEGIN + 1600], x[REVERSE : REVERSE + 80]):
        assert dbm0_from_power(float(np.mean(part**2))) == pytest.approx(LEVEL, abs=0.1)


@ROLES
def test_a_reversal_falls_on_its_sample(role: Role) -> None:
    straight, turned = signal(role, reverse=()), signal(role)
    both, none = straight + turned, straight - turned
    assert np.allclose(none[:REVERSE], 0, atol=1e-6)
    carrier = both if role is Role.CALLING else both - np.mean(both)
    if role is Role.CALLING:
        assert np.allclose(carrier[REVERSE:STOP], 0, atol=1e-6)
    else:
        # What is left after the reversal is the guard tone, which goes on.
        spectrum = np.abs(np.fft.rfft(both[REVERSE : REVERSE + 80]))
        assert np.argmax(spectrum) * SAMPLE_RATE / 80 == 1800


@ROLES
def test_spectrum_within_figure_13(role: Role) -> None:
    sender = InfoSender(role, LEVEL)
    sender.begin()
    sender.queue(np.random.default_rng(1).integers(0, 2, 40_000).astype(np.uint8))
    x = np.zeros(500_000, np.float32)
    sender.add_to(x)
    size = 1600
    frames = x[: len(x) // size * size].reshape(-1, size) * np.hanning(size)
    power = np.mean(np.abs(np.fft.rfft(frames)) ** 2, axis=0)
    hz = np.arange(len(power)) * SAMPLE_RATE / size - CARRIER_HZ[role]
    level = 10 * np.log10(power / np.mean(power[np.abs(hz) <= 100]))
    upper = np.interp(np.abs(hz), [0, 125, 300, 400, 450, 550], [0.75, 0.75, -2, -5, -9, -20])
    lower = np.interp(np.abs(hz), [0, 125, 300, 400, 475], [-0.75, -0.75, -4, -9, -20])
    near = np.abs(hz) < 500
    assert np.all(level[near] < upper[near] + 0.3)
    assert np.all(level[np.abs(hz) < 475] > lower[np.abs(hz) < 475] - 0.3)
    far = (np.abs(hz) > 550) & (np.abs(hz + CARRIER_HZ[role] - 1800) > 20)
    assert np.all(level[far] < -20)


def test_when_a_sequence_ends() -> None:
    sender = InfoSender(Role.CALLING, LEVEL)
    sender.begin()
    bits = np.ones(30, np.uint8)
    sender.queue(bits)
    left = sender.time_left
    assert left == 1 + round(29 * 40 / 3)
    x = np.zeros(1000, np.float32)
    sender.add_to(x[: left - 1])
    assert sender.time_left == 1
    sender.add_to(x[left - 1 : left])
    assert sender.time_left == 0
    sender.add_to(x[left:])
    # Its last change of phase lies a symbol before the end of the last bit.
    baseband = x * np.exp(-2j * np.pi * 1200 * np.arange(1000) / SAMPLE_RATE)
    smooth = np.convolve(baseband, np.ones(20) / 20, "same").real
    changes = np.flatnonzero(np.diff(np.sign(smooth[:-40])))
    assert changes[-1] == pytest.approx(left + SEQUENCE_TAIL - 40 / 3, abs=6)


@ROLES
@pytest.mark.parametrize("snr", [50, 15, 10])
@pytest.mark.parametrize("offset", [-7.0, 0.0, 7.0])
def test_sequence_and_reversal_in_noise(role: Role, snr: float, offset: float) -> None:
    x = signal(role, Info1c(1, 2, 3))
    for seed in range(3):
        y = shift(x, offset) + noise(len(x), snr, seed)
        ear = Ear(role).feed(y)
        assert ear.frames == [Info1c(1, 2, 3)]
        ((at, certain),) = ear.reversals
        assert certain
        assert at == pytest.approx(REVERSE, abs=5)
        # In time for an answer 40 ms later, even if samples come 20 ms at a time.
        assert ear.when(Hearing.REVERSAL)[0] - REVERSE < 130


@ROLES
def test_weak_and_coarse(role: Role) -> None:
    x = signal(role, Info0()) * np.float32(10 ** (-25 / 20))
    ear = Ear(role).feed(Law.ALAW.through(x))
    assert ear.frames == [Info0()]
    assert ear.reversals[0][0] == pytest.approx(REVERSE, abs=5)


@ROLES
def test_with_the_echo_of_the_other_direction(role: Role) -> None:
    """The other end's INFO and tone at the same time, 10 dB down at first, then 10 dB up."""
    other = InfoSender(role.other, LEVEL)
    other.begin()
    x = signal(role, Info0())
    echo = np.zeros_like(x)
    other.queue(np.random.default_rng(2).integers(0, 2, 200).astype(np.uint8))
    other.add_to(echo)
    for gain in (0.316, 3.16):
        y = Law.ALAW.through((x + np.float32(gain) * echo) / 2)
        ear = Ear(role).feed(y + noise(len(y), 25))
        assert ear.frames == [Info0()]
        assert ear.reversals[0][0] == pytest.approx(REVERSE, abs=5)


@ROLES
def test_results_do_not_depend_on_the_cut(role: Role) -> None:
    x = signal(role, Info0()) + noise(STOP + 2000, 15)
    whole = Ear(role).feed(x)
    rng = np.random.default_rng(3)
    cut = Ear(role)
    at = 0
    while at < len(x):
        n = int(rng.integers(1, 300))
        cut.feed(x[at : at + n])
        at += n
    assert whole.heard == cut.heard
    assert whole.reversals == cut.reversals


@ROLES
def test_a_sequence_whose_crc_ends_with_zeros(role: Role) -> None:
    """Its beginning has the length of INFO0d and a good CRC, as with one of 256 INFO1a."""
    info = Info1a(max_rate=3, rate_to_call=4, rate_to_answer=4, frequency_offset=0)
    bits = info.encode()
    assert not bits[58:66].any()
    sender = InfoSender(role, LEVEL)
    sender.begin()
    sender.queue(bits)
    x = np.zeros(1600, np.float32)
    sender.add_to(x)
    assert Ear(role).feed(x + noise(len(x), 15)).frames == [info]


@ROLES
def test_every_sequence_of_a_group_is_found(role: Role) -> None:
    sender = InfoSender(role, LEVEL)
    sender.begin()
    for k in range(4):
        sender.queue(Info0(rate_difference=k).encode())
    x = np.zeros(4000, np.float32)
    sender.add_to(x)
    assert Ear(role).feed(x + noise(len(x), 15)).frames == [Info0(rate_difference=k) for k in range(4)]


@ROLES
def test_a_reversal_in_a_lost_packet(role: Role) -> None:
    x = signal(role, Info0(), stop=REVERSE + 800) + noise(REVERSE + 2800, 15)
    for begin in range(REVERSE - 200, REVERSE + 60, 20):
        ear = Ear(role).feed_with_gap(x, begin)
        ((at, certain),) = ear.reversals
        inside = begin - 60 < REVERSE < begin + 220
        assert at == pytest.approx(REVERSE, abs=150 if inside else 5)
        assert certain or inside


@ROLES
def test_a_lost_packet_alone_is_no_reversal(role: Role) -> None:
    for offset in (-7.0, 7.0):
        x = shift(signal(role, Info0(), reverse=()), offset) + noise(STOP + 2000, 15)
        for begin in range(1500, 3800, 170):
            for count in (160, 320):
                assert not Ear(role).feed_with_gap(x, begin, count).reversals


@ROLES
def test_a_tone_is_known_after_50_ms(role: Role) -> None:
    x = signal(role, reverse=()) + noise(STOP + 2000, 15)
    ear = Ear(role, Hearing.TONE_GONE).feed(x[: BEGIN + 480])
    assert ear.receiver.tone_for >= 400
    assert ear.receiver.tone_dbm0 == pytest.approx(LEVEL - (role is Role.ANSWERING), abs=0.5)
    ear.feed(x[BEGIN + 480 :])
    gone = [at for at in ear.when(Hearing.TONE_GONE) if at > STOP - 100]
    assert gone[0] == pytest.approx(STOP + 200, abs=150)


@ROLES
def test_noise_and_data_hold_no_tone(role: Role) -> None:
    rng = np.random.default_rng(5)
    sender = InfoSender(role, LEVEL)
    sender.begin()
    sender.queue(rng.integers(0, 2, 6000).astype(np.uint8))
    data = np.zeros(80_000, np.float32)
    sender.add_to(data)
    for x in (noise(400_000, 0), data):
        ear = Ear(role, Hearing.TONE | Hearing.MARKS).feed(x)
        assert not ear.heard


@ROLES
def test_infomarks(role: Role) -> None:
    sender = InfoSender(role, LEVEL)
    sender.begin()
    sender.queue(np.ones(60, np.uint8))
    x = np.zeros(2400, np.float32)
    sender.add_to(x)
    ear = Ear(role, Hearing.MARKS).feed(x + noise(len(x), 15))
    assert ear.heard[0][0] == pytest.approx(MARKS_AFTER, abs=80)


MARKS_AFTER = round(32 * 40 / 3) + 90


def test_two_sequences_of_different_kinds_at_once() -> None:
    up, down = signal(Role.CALLING, Info0(), reverse=()), signal(Role.ANSWERING, Info1a(1, 1), reverse=())
    both = (up + down) + noise(len(up), 20)
    assert Ear(Role.CALLING).feed(both).frames == [Info0()]
    assert Ear(Role.ANSWERING).feed(both).frames == [Info1a(1, 1)]


@ROLES
@pytest.mark.parametrize("offset", [-7.0, 7.0])
def test_a_tone_through_the_echo_of_our_l2(role: Role, offset: float) -> None:
    """The tone is as loud as the echo of the whole of L2; without the tone nothing may be heard."""
    echo = np.zeros(STOP + 2000, np.float32)
    ProbeSender(LEVEL - 10).add_to(echo)
    tone = shift(signal(role, reverse=()), offset) * np.float32(10 ** (-10 / 20))
    ear = Ear(role, Hearing.TONE).feed(Law.ALAW.through(tone + echo)[: BEGIN + 560])
    assert ear.when(Hearing.TONE)[0] > BEGIN + 300
    assert not Ear(role, Hearing.TONE | Hearing.MARKS).feed(Law.ALAW.through(echo)).heard


@ROLES
@pytest.mark.parametrize("offset", [-7.0, 0.0, 7.0])
def test_a_tone_far_below_the_echo_of_our_l2(role: Role, offset: float) -> None:
    echo = np.zeros(STOP + 4000, np.float32)
    ProbeSender(LEVEL - 10).add_to(echo)
    tone = shift(signal(role, reverse=()), offset) * np.float32(10 ** (-25 / 20))
    for present in (True, False):
        rx = echo.copy()
        rx[2000 : 2000 + len(tone)] += tone * np.float32(present)
        ear = Ear(role, Hearing.TONE)
        ear.receiver.watch(Hearing.TONE, 400, beside_probe=True)
        ear.feed(Law.ALAW.through(rx + noise(len(rx), 40)))
        begin = 2000 + BEGIN
        assert bool(ear.heard) == present
        if present:
            assert begin + 300 < ear.when(Hearing.TONE)[0] < begin + 900


@ROLES
def test_noise_beside_our_probing_holds_no_tone(role: Role) -> None:
    for seed in range(10):
        ear = Ear(role, Hearing.TONE)
        ear.receiver.watch(Hearing.TONE, 400, beside_probe=True)
        ear.feed(noise(8000, 0, seed))
        assert not ear.heard


@ROLES
def test_quiet_after_a_sequence(role: Role) -> None:
    x = signal(role, Info1c(), reverse=(), stop=BEGIN + 1500)
    ear = Ear(role, Hearing.QUIET).feed(x + noise(len(x), 15))
    assert ear.heard[0][0] == pytest.approx(BEGIN + 1500 + 480 + 150, abs=100)
    gap = Ear(role, Hearing.QUIET).feed_with_gap(x[: BEGIN + 1400], 1500)
    assert not gap.heard


@pytest.mark.parametrize(
    ("role", "info"), [(Role.CALLING, Info1c(1, 2, 3)), (Role.ANSWERING, Info1a(1, max_rate=9))]
)
def test_an_info1_with_a_lost_packet_in_it(role: Role, info: Info) -> None:
    """Wherever the packet is, the sequence is found or not, but never a wrong one."""
    x = signal(role, info, reverse=()) + noise(STOP + 2000, 20)
    length = round(len(info.encode()) * 40 / 3)
    found = 0
    places = range(BEGIN, BEGIN + length, 25)
    for begin in places:
        ear = Ear(role, Hearing.FRAME)
        ear.receiver.watch(Hearing.FRAME, fill=info.span())
        ear.feed_with_gap(x, begin)
        assert ear.frames in ([], [info])
        found += len(ear.frames)
    # The beginning is needed: fill bits and synchronisation.
    assert found > 0.6 * len(places)
