"""What real modems said from training to data, read off recordings (see their README for the truth)."""

from pathlib import Path

import pytest

from ansam.listen import Report, listen, read
from ansam.modulation.base import Role

RECORDINGS = Path(__file__).parents[3] / "shared" / "recordings"


def heard(name: str) -> Report:
    path = RECORDINGS / f"{name}.wav"
    if not path.exists():
        pytest.skip(f"no recording {path}")
    return listen(read(path))


def frames(report: Report, role: Role) -> dict[str, int]:
    """Return the LAPM frames of an end's data by kind, until the first renegotiation."""
    counted = report.of(role, "data")[0].details["frames"]
    assert isinstance(counted, dict)
    return counted


@pytest.mark.parametrize(
    ("name", "down", "up"),
    [
        ("conexant-rh56sp-33600-33600", 33600, 33600),
        ("aztech-ti-28800-33600", 28800, 33600),
        pytest.param("spirit-336l-31200-33600", 31200, 33600, marks=pytest.mark.bench),
        pytest.param("3com-messagemodem-31200-31200", 31200, 31200, marks=pytest.mark.bench),
        pytest.param("3com-sportsterflash-28800-28800", 28800, 28800, marks=pytest.mark.bench),
        pytest.param("agere1648c-31200-31200", 31200, 31200, marks=pytest.mark.bench),
        pytest.param("dynalink-v1456vqe-31200-31200", 31200, 31200, marks=pytest.mark.bench),
        pytest.param("ess-31200-28800", 31200, 28800, marks=pytest.mark.bench),
        pytest.param("ktx-33600fm-24000-24000", 24000, 24000, marks=pytest.mark.bench),
        pytest.param("xircom-creditcardlan-28800-28800", 28800, 28800, marks=pytest.mark.bench),
    ],
)
def test_v34_is_read_to_its_frames(name: str, down: int, up: int) -> None:
    """The truth of the recordings was read off other decoders; the file names are the owner's labels."""
    report = heard(name)
    for role, rate in ((Role.CALLING, up), (Role.ANSWERING, down)):
        data = report.of(role, "data")[0]
        assert data.details["rate"] == rate
        wrong, bits = data.details["b1_wrong"], data.details["b1_bits"]
        assert isinstance(wrong, int)
        assert isinstance(bits, int)
        assert wrong < bits / 10
        counted = frames(report, role)
        assert counted["XID"] >= 1
        assert counted["SABME" if role is Role.CALLING else "UA"] >= 1
        assert counted["RR"] >= 3
        assert "?" not in counted


def test_v32bis_is_read_to_its_frames() -> None:
    """All frames: no other piece of four octets or more stands between flags (docs/spec/v32bis.md)."""
    report = heard("banksia-mymodem144-V32bis-14400-14400")
    words = [(e.what, e.details["word"]) for e in report.entries if e.what in ("R1", "R2", "R3")]
    assert words == [("R1", "0000111111111001"), ("R2", "0000111111111001"), ("R3", "0000100110011001")]
    points = report.of(Role.CALLING, "data")[0].details["constellation"]
    assert isinstance(points, list)
    assert len(points) >= 256
    assert frames(report, Role.CALLING) == {"RR": 8, "XID": 2, "SABME": 1}
    assert frames(report, Role.ANSWERING) == {"RR": 8, "XID": 1, "UA": 1}
