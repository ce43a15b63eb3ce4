"""V.34 phase 2 over many lines: how often it succeeds, and how long it takes."""

import numpy as np
import pytest
from tests.support.phase2_line import Pair

from ansam.line.parameters import CircuitParameters, Echo, End, PathParameters
from ansam.units import Audio

pytestmark = pytest.mark.bench
ECHOES = {end: [Echo(-10)] for end in End}
LINES: dict[str, tuple[int, dict[str, object], dict[str, float]]] = {
    "1 % loss": (200, {"loss": 0.01}, {}),
    "3 % loss": (60, {"loss": 0.03}, {}),
    "2 % loss, three in a row": (60, {"loss": 0.02, "loss_burst": 3}, {}),
    "15 dB": (20, {"snr_db": 15}, {}),
    "10 dB": (20, {"snr_db": 10}, {}),
    "600 ms, 1 % loss": (20, {"delay_ms": 600, "loss": 0.01}, {}),
    "all at once": (40, {"loss": 0.01, "snr_db": 25, "offset_hz": 3, "delay_ms": 150}, {"skew_ppm": 200}),
}


@pytest.mark.parametrize("name", LINES)
def test_success_and_time(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    count, path, circuit = LINES[name]
    ways = {way: PathParameters(**path) for way in ("up", "down")}  # type: ignore[arg-type]
    times, failed, repairs = [], [], 0
    for seed in range(count):
        parameters = CircuitParameters(echoes=ECHOES, **ways, **circuit)  # type: ignore[arg-type]
        pair = Pair(parameters, seed, offset=37 * seed % 160)
        if pair.run(45) and pair.agreed:
            result = pair.ends[End.CALLING].result
            assert result is not None
            times.append(result.at / 8000)
        else:
            failed.append(seed)
        repairs += pair.repairs
    middle, late, last = np.percentile(times, [50, 95, 100])
    with capsys.disabled():
        print(
            f"\n{name}: {count - len(failed)} of {count}, median {middle:.2f} s, 95 % {late:.2f} s, ", end=""
        )
        print(f"longest {last:.2f} s, INFO1 asked for again {repairs} times, failed seeds {failed}")
    assert not failed


@pytest.mark.parametrize("end", list(End), ids=lambda end: end.value)
def test_every_single_lost_packet(end: End, capsys: pytest.CaptureFixture[str]) -> None:
    slow = {}
    for k in range(150):

        def spoil(hears: End, frame: int, audio: Audio, erased: bool, k: int = k) -> tuple[Audio, bool]:
            lost = hears is end and frame == k
            return (np.full_like(audio, 0.5), True) if lost else (audio, erased)

        pair = Pair(CircuitParameters(echoes=ECHOES), k, spoil=spoil)
        assert pair.run(30), k
        assert pair.agreed, k
        result = pair.ends[End.CALLING].result
        assert result is not None
        if result.at > 8000 * 3.1:
            slow[k] = round(result.at / 8000, 2)
    with capsys.disabled():
        print(f"\n{end.value} end: slower than 3.1 s with packet {slow}")
