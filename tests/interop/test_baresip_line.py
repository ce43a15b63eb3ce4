"""A SIP line and baresip (Debian baresip-core) talk with each other through the exchange, encrypted."""

import random
from pathlib import Path

import numpy as np
import pytest
from tests.interop import test_exchange_baresip as softphone
from tests.support import baresip as support
from tests.support.exchange_live import exchange, run
from tests.support.line_user import FakeUser

from ansam.call.line_url import SipLineUrl
from ansam.call.party import Tone
from ansam.dce.progress import Progress
from ansam.io.clock import FramePacer
from ansam.io.line_sip import SipLine
from ansam.sdp.negotiation import Secure
from ansam.units import Audio, Samples

pytestmark = pytest.mark.peer("baresip-core")


BRIDGED = {"aufile,{directory}/played.wav": "aubridge,x", "aufile,{directory}/tone.wav": "aubridge,x"}
"""baresip sends back what it hears, decoded and encoded again."""


class Singer:
    """A party that sends a tone and measures what it hears."""

    def __init__(self) -> None:
        self.peaks: list[float] = []
        self._tone = Tone(1020.0, -10.0)

    def process(self, rx: Audio, now: Samples, erased: bool = False) -> Audio:
        self.peaks.append(float(np.max(np.abs(rx))))
        return self._tone.process(rx, now, erased)


@pytest.mark.parametrize(
    ("theirs", "ours", "secure"),
    [("srtp-mand", Secure.REQUIRE, True), ("srtp-mand", Secure.NO, None), ("", Secure.ACCEPT, False)],
    ids=["encrypted", "not agreed on", "plain"],
)
def test_we_call_baresip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, theirs: str, ours: Secure, secure: bool | None
) -> None:
    config = support.CONFIG + "module srtp.so\nmodule aubridge.so\n"
    for before, after in BRIDGED.items():
        config = config.replace(before, after)
    monkeypatch.setattr(support, "CONFIG", config)
    monkeypatch.setattr(softphone, "ACCOUNT", softphone.ACCOUNT + (f";mediaenc={theirs}" if theirs else ""))

    async def test() -> None:
        pacer = FramePacer()
        pacer.start()
        singer = Singer()
        user = FakeUser(party=singer)
        try:
            async with exchange() as server, softphone.baresip(tmp_path, server):
                url = SipLineUrl("07", "secret-07", *server.address("udp"), srtp=ours)
                line = SipLine(url, pacer, must_register=True, rng=random.Random(1))
                await line.open(user)
                line.place_call("05")
                if secure is None:
                    await user.hears(Progress.REFUSED)
                else:
                    await user.hears(Progress.CONNECTED)
                    await user.until(lambda: len(singer.peaks) >= 80)
                    assert line._paced is not None
                    assert (line._paced.call.media.srtp is not None) == secure
                    control = line._paced.call.control
                    assert control is not None
                    # Its reports come every 5 s, SRTCP where the audio is SRTP.
                    await user.until(lambda: control.far is not None, 15)
                    assert (control.counters.malformed, control.counters.unauthentic) == (0, 0)
                    statistics = line.statistics()
                    assert statistics is not None
                    assert statistics.packets_received >= 40
                    assert statistics.refused == 0
                    sent = float(np.max(np.abs(Tone(1020.0, -10.0).process(np.zeros(160, np.float32), 0))))
                    assert np.median(singer.peaks[40:]) == pytest.approx(sent, rel=0.1)
                await line.close()
        finally:
            pacer.stop()

    run(test)
