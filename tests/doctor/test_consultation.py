"""The line doctor and the time of day are called, in virtual time, by one of our modems and by nobody."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from ansam.call.modem_party import TimeOfDay, off_hook
from ansam.codec.g711 import Law
from ansam.dce.dce import Connected, Dce
from ansam.doctor.consultation import WIDTH, Consultation
from ansam.doctor.media import Media
from ansam.errors import LocalProtocolError
from ansam.units import FRAME, SAMPLE_RATE, Samples

MEDIA = Media(0.0, 0.0)


class Caller:
    """A modem that calls a party and keeps what it is shown."""

    def __init__(self, command: bytes) -> None:
        self.dce = Dce()
        self.now: Samples = off_hook(self.dce, command)
        self.began = self.now
        self.shown = b""
        self.connected: Connected | None = None
        self._rx = np.zeros(FRAME, np.float32)
        self._law = Law.ALAW

    def run(self, party: Consultation | TimeOfDay, seconds: float) -> None:
        end = self.now + int(seconds * SAMPLE_RATE)
        while self.now < end and not party.over:
            tx = self._through(self.dce.process(self._rx, self.now))
            self._rx = self._through(party.process(tx, self.now - self.began))
            self.now += FRAME
            self.shown += self.dce.take_dte()
            for event in self.dce.take_events():
                if isinstance(event, Connected):
                    self.connected = event

    def _through(self, audio: np.ndarray) -> np.ndarray:
        return self._law.decode(self._law.encode(audio))


@pytest.mark.parametrize(("bell103", "modulation"), [(False, "V.21"), (True, "Bell 103")])
def test_the_time_is_said_once_a_second(bell103: bool, modulation: str) -> None:
    caller = Caller(b"ATE0DT0\r")
    start = datetime(2026, 12, 31, 23, 59, 50, tzinfo=UTC)
    party = TimeOfDay(lambda: start + timedelta(seconds=(caller.now - caller.began) / SAMPLE_RATE), bell103)
    caller.run(party, 14)
    assert caller.connected is not None
    assert caller.connected.modulation == modulation
    lines = caller.shown.partition(b"CONNECT")[2].split(b"\r\n")[1:-1]
    assert len(lines) >= 5
    assert b"2027-01-01 00:00:00 +0000" in lines
    for line in lines[1:]:
        datetime.strptime(line.decode(), "%Y-%m-%d %H:%M:%S %z")


def test_the_line_doctor_tells_the_caller_and_the_record() -> None:
    caller, party = Caller(b"ATE0&N10DT0\r"), Consultation(Law.ALAW, lambda: MEDIA)
    caller.run(party, 60)
    assert party.over
    text = caller.shown.decode()
    assert "This line is" in text
    assert "good  packet loss: 0 %" in text
    assert "Goodbye." in text
    assert max(map(len, text.splitlines())) <= WIDTH + 8
    assert party.summary().startswith("line doctor: ")
    assert "CONNECT" in party.summary()


def test_a_telephone_that_leaves_gets_a_record() -> None:
    party = Consultation(Law.ULAW, lambda: Media(0.05, 0.0))
    for at in range(0, 4 * SAMPLE_RATE, FRAME):
        party.process(np.zeros(FRAME, np.float32), at)
    party.far_end_hung_up()
    assert party.over
    assert party.summary().endswith("no modem")
    assert "connection" in party.summary()
    assert not np.any(party.process(np.ones(FRAME, np.float32), 0))


@pytest.mark.bench
def test_a_telephone_that_stays_is_hung_up_on() -> None:
    party = Consultation(Law.ULAW, lambda: MEDIA)
    for at in range(0, 70 * SAMPLE_RATE, FRAME):
        party.process(np.zeros(FRAME, np.float32), at)
    assert party.over


@pytest.mark.bench
def test_a_modem_that_leaves_early_is_judged_all_the_same() -> None:
    caller, party = Caller(b"ATE0&N10DT0\r"), Consultation(Law.ALAW, lambda: MEDIA)
    caller.run(party, 14)
    assert caller.connected
    party.far_end_hung_up()
    assert "CONNECT" in party.summary()


def test_a_command_that_leaves_the_modem_on_hook() -> None:
    with pytest.raises(LocalProtocolError):
        off_hook(Dce(), b"ATZ\r")
