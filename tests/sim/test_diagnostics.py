"""ATI6, ATI11 and ATY11 tell the truth: simulated calls whose line is known, read as a user reads them."""

import re
from dataclasses import dataclass

import pytest

from ansam.codec import Law
from ansam.line import End
from ansam.sim import SimOptions
from ansam.sim.call import Simulation
from ansam.sim.options import Far

SNR, GAIN, OFFSET, DELAY, PLAYOUT, ECHO, SKEW = 33.0, -4.0, 1.0, 30.0, 60.0, 18.0, 60.0
"""dB, dB, Hz, ms, ms, dB, ppm: what the line does to every call here."""

SENT_DBM = 13.0
"""Modems send -13 dBm0."""

ROUND_TRIP = 2 * (DELAY + PLAYOUT)
"""And up to two packets at each of four ends, 20 ms each."""


@dataclass(frozen=True)
class Truth:
    """What a modulation can know, besides what all know.

    Attributes:
        name: At both ends: a modem that can do more than the other says what the line has.
        rates: As ATI6 shows them.
        carrier: Received by the calling modem and sent, Hz.
        symbols: Symbols a second.
        snr: dB the receiver sees: a wide one sees all noise, a narrow one less.
        timing: Its error in ppm.
        trellis: The code in force both ways, as ATI11 shows it.
        echo: The receiver knows its echo, and the round trip.
        probed: The line was probed, so that ATY11 has something to say.
    """

    name: str
    rates: str
    carrier: tuple[int, int]
    symbols: int
    snr: tuple[float, float] | None = None
    timing: float | None = None
    trellis: str = "N/A"
    echo: bool = False
    probed: bool = False


NARROW, MIDDLE, WIDE = ((SNR + more - 2.5, SNR + more + 1.5) for more in (8.2, 2.2, 0.7))
"""4000 Hz of noise as receivers of 600, 2400 and 3429 symbols a second have it."""

CALLS = {
    "V21": Truth("V.21", "300/300", (1750, 1080), 300),
    "V22": Truth("V.22", "1200/1200", (2400, 1200), 600, NARROW, 10.0),
    "V22B": Truth("V.22bis", "2400/2400", (2400, 1200), 600, NARROW, 10.0),
    "V32": Truth("V.32", "9600/9600", (1800, 1800), 2400, MIDDLE, 5.0, "8S-2D", echo=True),
    "V32B": Truth("V.32bis", "14400/14400", (1800, 1800), 2400, MIDDLE, 5.0, "8S-2D", echo=True),
    "V34": Truth("V.34", "", (1959, 1959), 3429, WIDE, 5.0, "64S-4D", echo=True, probed=True),
}


QUIET = ("Retrains Requested", "Retrains Granted", "Speed Shifts Up", "Blers", "Link Naks", "Link Timeouts")
"""Of ATI6, all 0 on a line that is steady."""


def ask(simulation: Simulation, end: End, command: str) -> str:
    modem = simulation.modem(end)
    modem.set_dtr(True, 0)
    modem.take_dte()
    modem.receive_dte(f"{command}\r".encode(), 0)
    return modem.take_dte().decode()


def field(screen: str, label: str) -> str:
    match = re.search(rf"^(?:.*\d\s+)?{re.escape(label)}\s*(\S.*?)(?:\s{{4,}}.*)?\r$", screen, re.MULTILINE)
    assert match, f"{label} is missing"
    return match[1].strip()


def numbers(screen: str, label: str) -> list[float]:
    return [float(part) for part in field(screen, label).split("/")]


pytestmark = pytest.mark.xdist_group("diagnostics")
"""Each call is made once, whatever is asked of it."""


@pytest.fixture(scope="module", params=CALLS)
def call(request):
    """A call over the known line, both modems on hook again."""
    options = SimOptions(
        calling=(f"AT+MS={request.param},0;&K0",),
        law=Law.LINEAR,
        snr=SNR,
        gain=GAIN,
        offset=OFFSET,
        delay=DELAY,
        playout=PLAYOUT,
        echo=ECHO,
        echo_delay=2.0,
        skew=SKEW,
        far=Far.ATA,
        seconds=3.0 if request.param != "V21" else 1.0,
    )
    simulation = Simulation(options)
    result = simulation.run()
    assert result.connected
    return simulation, result, CALLS[request.param]


def test_counters(call) -> None:
    simulation, result, truth = call
    for end, sent, received in (
        (End.CALLING, result.bytes_sent.up, result.bytes_received.down),
        (End.ANSWERING, result.bytes_sent.down, result.bytes_received.up),
    ):
        screen = ask(simulation, end, "ATI6")
        assert numbers(screen, "Chars sent") == [sent]
        assert numbers(screen, "Chars Received") == [received]
        assert numbers(screen, "Chars lost") == [0]
        # Without compression an octet is a character.
        assert numbers(screen, "Octets sent") == [sent]
        assert numbers(screen, "Octets Received") == [received]
        assert numbers(screen, "Blocks resent") == [result.frames_resent]
        for label in QUIET:
            assert numbers(screen, label) == [0], label
        assert field(screen, "Speed    ") == (truth.rates or f"{result.rate_rx}/{result.rate_tx}")
        assert field(screen, "Data Compression") == "NONE"


def test_what_is_sent_here_is_received_there(call) -> None:
    simulation, _, _ = call
    screens = {end: ask(simulation, end, "ATI6") for end in End}
    for here in End:
        sent = numbers(screens[here], "Blocks sent")
        assert sent == numbers(screens[here.other], "Blocks Received")


def test_who_hung_up(call) -> None:
    simulation, result, _ = call
    assert field(ask(simulation, End.CALLING, "ATI6"), "Disconnect Reason is") == "DTR dropped"
    there = field(ask(simulation, End.ANSWERING, "ATI6"), "Disconnect Reason is")
    assert there == ("DISC Received" if result.error_control == "LAPM" else "Loss of Carrier")


def heard_fast(end: End) -> float:
    """Return by how many ppm all that this end hears is fast (`SimOptions.skew`)."""
    return SKEW if end is End.ANSWERING else -SKEW


@pytest.mark.parametrize("end", End)
def test_signal(call, end: End) -> None:
    simulation, _, truth = call
    screen = ask(simulation, end, "ATI11")
    carriers = truth.carrier if end is End.CALLING else truth.carrier[::-1]
    assert field(screen, "Modulation (recv/xmit)") == f"{truth.name}/{truth.name}"
    assert numbers(screen, "Carrier Freq    ( Hz )") == pytest.approx(list(carriers), abs=0.5)
    assert numbers(screen, "Symbol Rate") == [truth.symbols, truth.symbols]
    trellis = field(screen, "Trellis Code")
    assert trellis == (truth.trellis if truth.trellis == "N/A" else f"{truth.trellis}/{truth.trellis}")
    received, sent = numbers(screen, "Recv/Xmit Level (-dBm)")
    assert sent == pytest.approx(SENT_DBM, abs=0.2)
    assert received == pytest.approx(SENT_DBM - GAIN, abs=0.5)
    offset = numbers(screen, "Carrier Offset  ( ppm)")[0] * carriers[0] / 1e6
    assert offset == pytest.approx(OFFSET + carriers[0] * heard_fast(end) / 1e6, abs=0.1)


@pytest.mark.parametrize("end", End)
def test_what_only_some_receivers_know(call, end: End) -> None:
    simulation, _, truth = call
    screen = ask(simulation, end, "ATI11")
    if truth.snr is None:
        assert field(screen, "SNR             ( dB )") == "N/A"
    else:
        assert truth.snr[0] < numbers(screen, "SNR             ( dB )")[0] < truth.snr[1]
    if truth.timing is None:
        assert field(screen, "Timing Offset   ( ppm)") == "N/A"
    else:
        assert numbers(screen, "Timing Offset   ( ppm)")[0] == pytest.approx(
            heard_fast(end), abs=truth.timing
        )
    assert field(screen, "Far Echo        ( dB )") == "N/A"
    if truth.echo:
        assert numbers(screen, "Near Echo       ( dB )")[0] == pytest.approx(ECHO, abs=1.0)
        assert ROUND_TRIP <= numbers(screen, "Roundtrip Delay (msec)")[0] <= ROUND_TRIP + 120
    else:
        assert field(screen, "Near Echo       ( dB )") == "N/A"
        assert field(screen, "Roundtrip Delay (msec)") == "N/A"


@pytest.mark.parametrize("name", ["V32B", "V34"])
def test_a_far_echo_is_told_from_a_near_one(name: str) -> None:
    delay = 200.0
    options = SimOptions(calling=(f"AT+MS={name},0",), snr=40.0, echo=24.0, echo_delay=delay, seconds=2.0)
    simulation = Simulation(options)
    assert simulation.run().connected
    for end in End:
        screen = ask(simulation, end, "ATI11")
        assert numbers(screen, "Far Echo        ( dB )")[0] == pytest.approx(24.0, abs=1.0)
        assert field(screen, "Near Echo       ( dB )") == "N/A"


def test_what_v34_chose_is_the_same_at_both_ends(call) -> None:
    simulation, _, truth = call
    screens = {end: ask(simulation, end, "ATI11") for end in End}
    for label in ("Nonlinear Encoding", "Precoding", "Shaping", "Preemphasis     (-dB )"):
        here, there = (field(screens[end], label) for end in End)
        if truth.probed:
            assert here.split("/") == there.split("/")[::-1]
        else:
            assert here == there == "N/A"


def test_frequency_response(call) -> None:
    simulation, _, truth = call
    for end in End:
        screen = ask(simulation, end, "ATY11")
        assert ("ERROR" in screen) is not truth.probed
        if truth.probed:
            rows = [line.split() for line in screen.split("\r\n") if re.match(r"\s*\d", line)]
            assert [int(row[0]) for row in rows] == list(range(150, 3751, 150))
            # The line is flat; the tones that V.34 leaves out are marked so.
            assert {int(row[0]) for row in rows if row[1] == "-"} == {900, 1200, 1800, 2400}
            assert all(abs(float(row[1])) <= 1.0 for row in rows if row[1] != "-")
