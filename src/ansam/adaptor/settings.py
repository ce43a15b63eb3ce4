"""What a modem needs of an adaptor, by the names on the pages of Linksys' PAP2T, SPA2102 and SPA3102.

Names are those that published profiles of these adaptors use; choices and factory values were gathered from
such profiles and were not compared with a device. A name on a page becomes an element of ``spa.xml`` by
underscores for spaces; one of a line ends in its number: *Preferred Codec* of line 1 is
``Preferred_Codec_1_``.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Literal

LawName = Literal["alaw", "ulaw"]
CODECS: dict[LawName, str] = {"alaw": "G711a", "ulaw": "G711u"}
"""The codec of each law as the pages call it."""


class Model(Enum):
    """Adaptors with these pages; the value names one on the command line and in a configuration."""

    PAP2T = "pap2t"
    SPA2102 = "spa2102"
    SPA3102 = "spa3102"

    @property
    def lines(self) -> tuple[int, ...]:
        """Numbers of its lines with a telephone port."""
        return (1,) if self is Model.SPA3102 else (1, 2)


class Severity(Enum):
    """What a wrong value does to a modem, worst first."""

    BREAKS = "breaks"
    """Calls fail or fall."""
    HARMS = "harms"
    """Calls are slower, or fall now and then."""
    REMARK = "remark"
    """It matters in some set-ups only."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        page: ``Line``, ``SIP`` or ``Regional``.
        name: As on the page, without its colon.
        choices: What can be chosen there; empty where it is a text or a number.
        default: As delivered.
        wanted: What a modem needs; the codec of A-law stands for that of the law in use.
        why: What happens otherwise.
        severity: How bad that is.
        accepted: Other values that do as well.
        models: Where it is found.
    """

    page: str
    name: str
    choices: tuple[str, ...]
    default: str
    wanted: str
    why: str
    severity: Severity
    accepted: tuple[str, ...] = ()
    models: frozenset[Model] = frozenset(Model)

    def tag(self, line: int) -> str:
        """Return its element in ``spa.xml``.

        Args:
            line: Number of the line; without meaning for the pages that are all lines'.
        """
        return tag(self.name, line if self.page == LINE else 0)

    def wanted_for(self, law: LawName) -> str:
        """Return what a modem needs where calls are of a law."""
        return CODECS[law] if self.wanted == CODECS["alaw"] else self.wanted


LINE, SIP, REGIONAL = "Line", "SIP", "Regional"


def tag(name: str, line: int = 0) -> str:
    """Return the element of a name on a page; line 0 is none."""
    element = "_".join(name.split())
    return f"{element}_{line}_" if line else element


_YES_NO = ("yes", "no")
_G711 = ("G711u", "G711a")
_ALL = ("G711u", "G711a", "G726-16", "G726-24", "G726-32", "G726-40", "G729a", "G723")
_T38_MODELS = frozenset({Model.SPA2102, Model.SPA3102})


def _off(name: str, why: str, severity: Severity, models: frozenset[Model] = frozenset(Model)) -> Setting:
    return Setting(LINE, name, _YES_NO, "yes", "no", why, severity, models=models)


def _lossy(codec: str) -> Setting:
    return _off(
        f"{codec} Enable",
        f"{codec} keeps speech, not a modem's signal; off, it is never chosen by mistake",
        Severity.REMARK,
    )


SETTINGS: tuple[Setting, ...] = (
    Setting(
        *(LINE, "Preferred Codec", _ALL, "G711u", "G711a"),
        why="both ends must speak the same law: recoding costs speed, a codec that is not G.711 the call",
        severity=Severity.BREAKS,
    ),
    Setting(
        *(LINE, "Use Pref Codec Only", _YES_NO, "no", "yes"),
        why="another codec may be agreed on, or changed to in the middle of a call",
        severity=Severity.BREAKS,
    ),
    Setting(
        *(LINE, "Silence Supp Enable", _YES_NO, "no", "no"),
        why="a modem that waits is cut off, and the beginning of what it sends next",
        severity=Severity.BREAKS,
    ),
    _off(
        "Echo Canc Enable",
        "modems of V.32 and above cancel their own echo; a second canceller fights theirs",
        Severity.BREAKS,
    ),
    _off(
        "Echo Canc Adapt Enable",
        "a canceller that goes on learning changes the path under the modem",
        Severity.HARMS,
    ),
    _off(
        "Echo Supp Enable", "one end is turned down while the other sends; both send always", Severity.BREAKS
    ),
    _off(
        "FAX CED Detect Enable",
        "the answer tone of a modem is that of a fax: the codec changes in the middle of the call",
        Severity.BREAKS,
    ),
    _off("FAX CNG Detect Enable", "the calling tone of a modem may pass for that of a fax", Severity.HARMS),
    Setting(
        *(LINE, "FAX Passthru Method", ("None", "NSE", "ReINVITE"), "NSE", "None"),
        why="NSE packets or a re-INVITE build the audio anew while modems train",
        severity=Severity.BREAKS,
    ),
    Setting(
        *(LINE, "FAX Passthru Codec", _G711, "G711u", "G711a"),
        why="where a fax is believed to be heard, the call goes on in this law",
        severity=Severity.HARMS,
    ),
    _off("FAX Process NSE", "the far end's NSE packets switch the codec", Severity.HARMS),
    Setting(
        *(LINE, "FAX Disable ECAN", _YES_NO, "no", "yes"),
        why="where a fax is believed to be heard, the canceller stays on",
        severity=Severity.HARMS,
    ),
    _off(
        "FAX Enable T38",
        "a re-INVITE asks for T.38, which carries no modem",
        Severity.BREAKS,
        _T38_MODELS,
    ),
    Setting(
        LINE,
        "Jitter Buffer Adjustment",
        choices=("up and down", "up only", "down only", "disable"),
        default="up and down",
        wanted="disable",
        why="a buffer that moves repeats or drops samples; every move costs a retrain",
        severity=Severity.BREAKS,
    ),
    Setting(
        LINE,
        "Network Jitter Level",
        choices=("low", "medium", "high", "very high", "extremely high"),
        default="high",
        wanted="high",
        why="a small buffer loses what comes late; on a quiet local network its shorter delay is welcome",
        severity=Severity.REMARK,
        accepted=("medium", "very high"),
    ),
    Setting(
        LINE,
        "DTMF Tx Method",
        choices=("InBand", "AVT", "INFO", "Auto", "InBand+INFO", "AVT+INFO"),
        default="Auto",
        wanted="InBand",
        why="what sounds like a digit is cut out of the audio and sent as an event",
        severity=Severity.HARMS,
    ),
    _off("Call Waiting Serv", "the tone of a second caller sounds into the call", Severity.HARMS),
    *(_lossy(codec) for codec in ("G729a", "G723", "G726-16", "G726-24", "G726-32", "G726-40")),
    Setting(
        *(SIP, "RTP Packet Size", (), "0.030", "0.020"),
        why="frames of 20 ms are what the far end sends and what the least is lost with",
        severity=Severity.HARMS,
        accepted=("0.010",),
    ),
    *(
        Setting(
            *(REGIONAL, f"FXS Port {way} Gain", (), "-3", "-3"),
            why="more clips, less drowns the signal in the steps of the coder",
            severity=Severity.HARMS,
            accepted=("-6", "-5", "-4", "-2", "-1", "0"),
        )
        for way in ("Input", "Output")
    ),
)
"""In the order of the pages."""


def settings_of(model: Model | None) -> tuple[Setting, ...]:
    """Return the settings of a model, or all."""
    return tuple(one for one in SETTINGS if model is None or model in one.models)
