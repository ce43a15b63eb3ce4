"""What every modulation must do, whatever it is: the suite that `test_contract.py` runs over the registry.

Each check makes its own pair of modems on `tests.support.modem_line` and raises AssertionError with
figures. A new modulation is held to all of it by its line in the registry. How much of delay, echo and
dropouts it must bear follows from its kind: `demands`.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tests.support.modem_line import End, Line, Random, Way, bit_errors

from ansam.modulation.base import (
    CarrierLost,
    Modulation,
    ModulationOptions,
    Opening,
    Ready,
    Renegotiating,
    Retraining,
    Role,
    SilentStart,
)
from ansam.modulation.registry import MODULATIONS
from ansam.units import FRAME, SAMPLE_RATE, Audio, Bits, dbm0_from_power

OPTIONS = ModulationOptions()

SEARCH = 60_000
"""Bits received before the far end's first: as many as a round trip of 1.5 s holds."""


@dataclass(frozen=True)
class Demands:
    """What lines a kind of modulation must bear.

    Attributes:
        connect_seconds: Start-up takes no longer, on any line here.
        delays: One way, samples.
        echo_delays: From sending to hearing one's own signal, samples.
        erased_ms: A marked dropout of this length needs no retrain.
        silent_seconds: After a dropout that nobody marked, data flow again within this time.
    """

    connect_seconds: float = 20.0
    delays: tuple[int, ...] = (2400,)
    echo_delays: tuple[int, ...] = (20,)
    erased_ms: int = 60
    silent_seconds: float = 1.0


BAND_SPLIT = Demands()
"""Each direction has a band of its own: echo is filtered off, and nothing is trained for long."""

ECHO_CANCELLING = Demands(
    connect_seconds=45.0,
    delays=(0, 4800),
    echo_delays=(20, 800, 9600),
    erased_ms=500,
    silent_seconds=15.0,
)
"""Both directions share a band: V.32, V.32bis, V.34."""


def shares_band(name: str) -> bool:
    """Return whether both directions have the same carrier."""
    return len(set(MODULATIONS[name][0].carriers_hz.values())) == 1


def demands(name: str) -> Demands:
    return ECHO_CANCELLING if shares_band(name) else BAND_SPLIT


class Call:
    """A calling and an answering modem of one modulation, with random user bits."""

    def __init__(
        self,
        name: str,
        options: ModulationOptions = OPTIONS,
        up: Way | None = None,
        down: Way | None = None,
        echo_db: float | None = None,
        echo_delay: int = 20,
    ) -> None:
        self.limit = demands(name).connect_seconds
        self.bits_up, self.bits_down = Random(11), Random(12)
        self.calling = make(name, Role.CALLING, options, self.bits_up)
        self.answering = make(name, Role.ANSWERING, options, self.bits_down)
        self.line = Line(self.calling, self.answering, up, down, echo_db, echo_delay)

    def connect(self) -> "Call":
        assert self.line.connect(self.limit), (self.line.calling.events, self.line.answering.events)
        return self

    @property
    def ends(self) -> tuple[End, End]:
        return self.line.calling, self.line.answering

    def wrong(self) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return (wrong, compared) bits up and down."""
        return (
            bit_errors(self.bits_up.bits(), self.line.answering.bits(), SEARCH),
            bit_errors(self.bits_down.bits(), self.line.calling.bits(), SEARCH),
        )


def make(name: str, role: Role, options: ModulationOptions, bits: Random) -> Modulation:
    return MODULATIONS[name][1](role, options, bits)


def carries_data(call: Call, seconds: float, rate: int) -> None:
    """Both ways, no bit wrong and none missing but what is on its way."""
    call.connect().line.run(seconds)
    for wrong, compared in call.wrong():
        assert wrong == 0, call.wrong()
        assert compared >= 0.8 * seconds * rate, call.wrong()


def at_rate(name: str, rate: int) -> None:
    """Start-up with the window shut around one rate ends at that rate."""
    call = Call(name, ModulationOptions(min_rate=rate, max_rate=rate))
    carries_data(call, 4, rate)
    for end in (call.line.calling, call.line.answering):
        assert end.ready is not None
        assert (end.ready.tx_rate, end.ready.rx_rate) == (rate, rate)
        assert end.ready.modulation in MODULATIONS


def over(
    name: str, up: Way, down: Way, echo_db: float | None = None, seconds: float = 6, echo_delay: int = 20
) -> Call:
    """A call over an impaired line has no wrong bit."""
    call = Call(name, up=up, down=down, echo_db=echo_db, echo_delay=echo_delay)
    carries_data(call, seconds, min(MODULATIONS[name][0].data_rates))
    return call


def same_however_cut(name: str, role: Role, seed: int) -> None:
    """Samples, bits and events do not depend on how the received stream was cut.

    One packet is lost 3 s after the beginning, and the call lasts until some data has crossed.
    """
    call = Call(name, up=Way(noise_dbm0=-45, erase=(150,)), down=Way(noise_dbm0=-45, seed=1, erase=(150,)))
    heard: list[Audio] = []
    modem = call.calling if role is Role.CALLING else call.answering
    process = modem.process

    def listen(rx: Audio, now: int, erased: bool = False) -> Audio:
        heard.append(rx)
        return process(rx, now, erased)

    modem.process = listen  # type: ignore[method-assign]
    call.connect().line.run(1)
    end = call.line.calling if role is Role.CALLING else call.line.answering
    rx = np.concatenate(heard)
    again = make(name, role, OPTIONS, Random(11 if role is Role.CALLING else 12))
    again.start(0)
    rng = np.random.default_rng(seed)
    at, sent, bits, events = 0, [], [], []
    while at < len(rx):
        frame = at // FRAME
        cut = min(int(rng.choice([1, 7, 33, 160, 400])), len(rx) - at)
        limit = 150 * FRAME if frame < 150 else 151 * FRAME if frame == 150 else len(rx)
        cut = min(cut, limit - at)
        sent.append(again.process(rx[at : at + cut], at, frame == 150))
        bits.append(again.take_bits())
        events += again.take_events()
        at += cut
    assert [e for _, e in end.events] == events
    np.testing.assert_array_equal(end.bits(), np.concatenate(bits))
    np.testing.assert_array_equal(end.audio(), np.concatenate(sent))


def survives(name: str, frames: tuple[int, ...], erased: bool) -> None:
    """After packets are lost, bits flow again within a second, and the connection was never given up.

    Args:
        name: Modulation.
        frames: Frames lost, counted from `Ready`.
        erased: Lost packets are marked as such; otherwise they are silence, as a hardware modem hears them.
    """
    lost = tuple(ready_at(name) + 50 + f for f in frames)
    up = Way(erase=lost) if erased else Way(mute=lost)
    down = Way(erase=lost, seed=1) if erased else Way(mute=lost, seed=1)
    call = Call(name, up=up, down=down).connect()
    call.line.run(1.0 + (frames[-1] + 1) * 0.02 + (1.0 if erased else demands(name).silent_seconds))
    mark_up, mark_down = len(call.bits_up.bits()), len(call.bits_down.bits())
    call.line.run(5.0)
    for end in (call.line.calling, call.line.answering):
        assert end.event(CarrierLost) is None
    assert contains(call.line.answering.bits(), call.bits_up.bits()[mark_up:])
    assert contains(call.line.calling.bits(), call.bits_down.bits()[mark_down:])


def ready_at(name: str) -> int:
    """Return the frame in which both ends are ready, on the default line."""
    return Call(name).connect().line.frame


def rides_through(name: str, milliseconds: int) -> None:
    """A marked dropout costs the bits in it and some more, but no retrain."""
    begins = ready_at(name) + 50
    lost = range(begins, begins + milliseconds // 20)
    call = Call(name, up=Way(erase=lost), down=Way(erase=lost, seed=1)).connect()
    call.line.run(1.0 + milliseconds / 1000 + 1.0)
    mark_up, mark_down = len(call.bits_up.bits()), len(call.bits_down.bits())
    call.line.run(3.0)
    for end in call.ends:
        for kind in (CarrierLost, Retraining, Renegotiating):
            assert end.event(kind) is None, end.events
    assert contains(call.line.answering.bits(), call.bits_up.bits()[mark_up:])
    assert contains(call.line.calling.bits(), call.bits_down.bits()[mark_down:])


def retrains(name: str, role: Role) -> None:
    """Either end may ask for a retrain: both say so, both are ready again, and data flow."""
    call = Call(name).connect()
    call.line.run(1)
    ours, theirs = call.ends if role is Role.CALLING else reversed(call.ends)
    ours.modem.retrain(call.line.now)
    assert call.line.run(
        call.limit, lambda: all(sum(isinstance(e, Ready) for _, e in end.events) == 2 for end in call.ends)
    ), (ours.events, theirs.events)
    assert ours.event(Retraining) == Retraining(by_us=True)
    assert theirs.event(Retraining) == Retraining(by_us=False)
    assert ours.modem.report().retrains_requested == 1
    assert theirs.modem.report().retrains_granted == 1
    call.line.run(1)
    mark_up, mark_down = len(call.bits_up.bits()), len(call.bits_down.bits())
    call.line.run(2)
    assert contains(call.line.answering.bits(), call.bits_up.bits()[mark_up:])
    assert contains(call.line.calling.bits(), call.bits_down.bits()[mark_down:])


def contains(received: Bits, sent: Bits) -> bool:
    """Whether a long middle part of what was sent arrived without an error."""
    middle = sent[100 : len(sent) - max(200, len(sent) // 8)]  # the last of it is still on its way
    assert len(middle) >= 200
    return middle.tobytes() in received.tobytes()


def reports_loss(name: str) -> None:
    """The line is cut: `CarrierLost` after S10, not much before and not much after, and only once."""
    call = Call(name).connect()
    call.line.run(1)
    call.line.down.mute = range(call.line.frame, 1 << 30)
    gone = call.line.now
    assert call.line.run(4, lambda: call.line.calling.event(CarrierLost))
    after = (call.line.now - gone) / SAMPLE_RATE
    assert 0.65 <= after <= 1.3, after
    call.line.run(2)
    assert sum(isinstance(e, CarrierLost) for _, e in call.line.calling.events) == 1


def clears_down(name: str) -> None:
    """One end clears down, by a procedure or by silence: the other notices, and the line falls silent."""
    call = Call(name).connect()
    call.line.run(1)
    call.answering.clear_down(call.line.now)
    assert call.line.run(5, lambda: call.line.calling.event(CarrierLost))
    call.line.run(2)
    assert sum(isinstance(e, CarrierLost) for _, e in call.line.calling.events) == 1
    tail = call.line.answering.audio()[-SAMPLE_RATE:]
    assert not tail.any(), "clear_down leaves the line silent"


def keeps_quiet(name: str) -> None:
    """Nothing before `Ready`, either way: a modem that only listens hears nothing in silence or noise.

    Where callers wait for the answering end `start` is as quiet as that.
    """
    bits = Random(1)
    modem = make(name, Role.CALLING, OPTIONS, bits)
    if MODULATIONS[name][0].opening is Opening.ANSWERING:
        modem.start(0)
    else:
        assert isinstance(modem, SilentStart)
        modem.listen(0)
    rng = np.random.default_rng(5)
    for frame in range(400):
        level = 0.0 if frame < 200 else 0.02
        rx = (level * rng.standard_normal(FRAME)).astype(np.float32)
        assert not modem.process(rx, frame * FRAME).any()
        assert not len(modem.take_bits())
    assert not modem.far_end_seen
    assert not bits.given
    assert not any(isinstance(e, Ready) for e in modem.take_events())
    assert len(modem.process(np.zeros(0, np.float32), 400 * FRAME)) == 0


def sends_clean(name: str, role: Role, level_dbm0: float) -> None:
    """The level is what was asked for, and nothing to speak of lies in the far end's band or at the edges."""
    spec = MODULATIONS[name][0]
    options = ModulationOptions(tx_level_dbm0=level_dbm0, v34_level_deviation=False)
    call = Call(name, options).connect()
    call.line.run(8)
    end = call.line.calling if role is Role.CALLING else call.line.answering
    sent = end.audio()[-6 * SAMPLE_RATE :].astype(float)
    assert abs(dbm0_from_power(float(np.mean(sent**2))) - level_dbm0) <= 1.0
    assert np.max(np.abs(sent)) < 1.0
    frequency, power = spectrum(sent)
    total = power.sum()
    if shares_band(name):
        report = end.modem.report()
        assert report.carriers_hz is not None
        symbol_rate = report.tx_symbol_rate or report.symbol_rate or 0.0
        away = np.abs(frequency - report.carriers_hz[1])
        assert power[away > 0.65 * symbol_rate].sum() / total < 10**-2.5
        assert power[frequency > 3800].sum() / total < 10**-3
        return
    far = spec.carriers_hz[role.other]
    half = max(200.0, spec.symbol_rates[-1] / 2)
    assert power[np.abs(frequency - far) < half].sum() / total < 10**-2.5
    assert power[frequency < 200].sum() / total < 10**-4
    assert power[frequency > 3600].sum() / total < 10**-3.5
    near = spec.carriers_hz[role]
    inside = power[np.abs(frequency - near) < spec.symbol_rates[-1]].sum() / total
    assert inside > 0.95, inside


def spectrum(x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return frequencies and mean power of Hann-windowed quarter seconds."""
    size = 2000
    window = np.hanning(size)
    blocks = np.lib.stride_tricks.sliding_window_view(x, size)[:: size // 2] * window
    return np.fft.rfftfreq(size, 1 / SAMPLE_RATE), np.mean(np.abs(np.fft.rfft(blocks)) ** 2, axis=0)


def repeats_itself(name: str) -> None:
    """The same seeds give the same call, sample by sample."""
    first, second = (Call(name, up=Way(noise_dbm0=-40), down=Way(noise_dbm0=-40, seed=1)) for _ in range(2))
    for call in (first, second):
        call.connect().line.run(1)
    np.testing.assert_array_equal(first.line.calling.audio(), second.line.calling.audio())
    np.testing.assert_array_equal(first.line.answering.bits(), second.line.answering.bits())


def reports(name: str) -> None:
    """The report says what the line is."""
    call = Call(name, up=Way(gain_db=-12), down=Way(gain_db=-7, offset_hz=3, seed=1)).connect()
    call.line.run(3)
    report = call.calling.report()
    assert report.rx_level_dbm0 is not None
    assert abs(report.rx_level_dbm0 - (-20)) < 1.5
    assert report.tx_level_dbm0 == OPTIONS.tx_level_dbm0
    assert report.symbol_rate in MODULATIONS[name][0].symbol_rates
    if report.carrier_offset_hz is not None:
        assert abs(report.carrier_offset_hz - 3) < 1.0
    if shares_band(name):
        ready = call.line.calling.ready
        assert ready is not None
        assert report.rates == (ready.rx_rate, ready.tx_rate)
        assert report.trellis is not None
        assert report.snr_db is not None
        assert report.carriers_hz is not None
        assert report.round_trip is not None
        assert abs(report.round_trip - 2 * (160 + FRAME)) < 80  # two ways, and a frame at each end
        assert len(report.constellation) >= 32
