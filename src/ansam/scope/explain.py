"""What each step of a call is there for, in one sentence; the names are those of the engines.

A step is found by the Recommendation that its clause begins with and by the longest beginning of its name.
"""

from collections.abc import Mapping

NEAR, FAR, BOTH = "near", "far", "both"

_PAUSE = "Nothing is sent: what came before dies away, and the far end is heard alone."
_DATA = "User data flows."

_V8 = {
    "ANSam": "2100 Hz, turned in phase every 450 ms and waving 15 times a second: a modem with V.8.",
    "ANS": "The answer tone of 2100 Hz: it switches the network's echo cancellers off.",
    "2225 Hz": "The answer tone of the Bell family, which is its modem's binary 1 as well.",
    "CI": "Call indicator: the caller says that it is a modem before anything has answered.",
    "CM": "Call menu, at 300 bit/s: the caller lists its modulations.",
    "JM": "Joint menu: the answerer names the modulations that both have.",
    "CJ": "The caller has the joint menu: what was agreed begins.",
    "silence T_e": "A pause of a second in which the network's echo cancellers see the answer tone's turns.",
    "silence": _PAUSE,
    "chooses": "The modulation is agreed on.",
    "offers": "No V.8: one modulation after the other sends its opening, until the caller answers.",
    "binary 1": "No V.8: the caller sends binary 1, and the far end hears which modulation it is.",
    "AA": "The caller repeats one signal state during the answer tone: it speaks V.32.",
    "T_c": "Unscrambled ones are heard: a wait, for an answerer with V.32 alternates two states soon.",
}

_V34 = {
    "silence before phase 2": "A pause between V.8 and phase 2.",
    "silence, waiting for tone A or INFOMARKSa": "Phase 3 went unanswered: what does the answerer want?",
    "silence, waiting for INFO1a": "Nothing is sent: the answerer's choice is to come.",
    "silence, waiting for tone A": "Nothing is sent until the answerer's 2400 Hz are back.",
    "silence, waiting for the second": "The far end's tone turns once more: it knows the round trip.",
    "silence, while": "INFO1c is on its way, and nothing else.",
    "silence": _PAUSE,
    "phase 2": "Line probing: both send tones and measure what the line does to them.",
    "INFO0": "Symbol rates and features, sent at 600 bit/s.",
    "tone B of a retrain": "The caller's 1200 Hz ask for a retrain: phase 2 begins anew.",
    "tone A": "The answerer's 2400 Hz; its turns in phase are marks in time.",
    "tone B": "The caller's 1200 Hz; its turns in phase are marks in time.",
    "40 ms": "A turn of phase is answered after 40 ms exactly: the round trip is known from it.",
    "10 ms": "10 ms of the tone, turned in phase, so that the far end can take the time.",
    "L1 and L2": "21 tones 6 dB louder than data, then at data level: the far end measures the line by them.",
    "L1": "21 tones 6 dB louder than data: how the line treats each frequency.",
    "L2": "The probing tones at data level: which symbol rate and how much noise there is.",
    "INFO1": "Symbol rates, carrier, level and pre-emphasis that were chosen by the probing.",
    "INFOMARKS": "Phase 3 was not answered: marks in INFO1's place send both back to phase 2.",
    "end of phase 2": "Phase 2, line probing, is over.",
    "S, PP, TRN": "Start of phase 3: S begins the symbols, PP sets the equaliser, TRN trains it.",
    "S, TRN": "S asks for another rate, TRN refines the equaliser before it is settled.",
    "S heard": "The far end sends S: it wants another rate, where S turns.",
    "S": "Two symbols in turn: the receiver finds strength, timing and phase.",
    "training": "The equaliser and the echo canceller learn the line.",
    "TRN": "Scrambled ones: equaliser and echo canceller are refined.",
    "J": "The size of constellation that the far end is to train with.",
    "MP": "Modulation parameters: data rates both ways, trellis code, precoding, shaping.",
    "MP'": "The parameters again, with the far end's acknowledged.",
    "E, B1": "E ends the parameters, B1 is the first frame of data: ones.",
    "data": _DATA,
}

_V32 = {
    "AA": "The caller repeats one signal state: it speaks V.32.",
    "AC": "The answerer alternates two states; turning them gives the far end the time.",
    "CA": "The answerer turns its alternation: the round trip can be measured.",
    "CC": "The caller turns its signal state in answer: the round trip is known.",
    "S, TRN, R3": "S and TRN once more, then the third rate signal: the rate that is used.",
    "S, TRN": "S, then scrambled ones: our echo canceller trains by them, and the far end's equaliser.",
    "S-bar": "S turned: the instant at which training begins.",
    "S": "Two states in turn: the receiver finds strength, timing and phase.",
    "silence": _PAUSE,
    "training": "The equaliser learns the line.",
    "R1": "First rate signal: the answerer's rates.",
    "R2": "Second rate signal: the caller's rates, within those of the first.",
    "R3": "Third rate signal: the rate that is used.",
    "R4": "A rate signal in the midst of data asks for another rate.",
    "R5": "The rate signal in answer to R4: the rate that is used from now on.",
    "preamble?": "What is heard may be the beginning of another rate: the far end's rate signal settles it.",
    "E, B1": "E ends the rate signal; ones at the data rate follow.",
    "E": "The end of the rate signal.",
    "data": _DATA,
}

_V22 = {
    "unscrambled ones": "The answerer is a modem of the V.22 family.",
    "silence after": "A pause after the answerer was recognised.",
    "S1": "Double dibits 00 and 11 in turn: 2400 bit/s is possible.",
    "scrambled ones at 1200 or 2400": "The far end's answer decides whether it is 1200 or 2400 bit/s.",
    "scrambled ones at 1200": "Ones through the scrambler: equaliser and timing settle on four points.",
    "16-way decisions": "The receiver goes over to sixteen points.",
    "scrambled ones at 2400": "Ones at 2400 bit/s: the equaliser settles on sixteen points.",
    "32 ones": "32 ones in a row at 2400 bit/s say that the far end is ready.",
    "retrain: S1": "S1 in the midst of data: equaliser and timing are to settle anew.",
    "retrain: scrambled": "Scrambled ones until the far end's S1 says that it trains anew, too.",
    "data": _DATA,
}

_FSK = {
    "binary 1": "Binary 1 without end: the carrier by which the far end knows this modem.",
    "data": _DATA,
}

_V42 = {
    "ODP received": "The far end asks for V.42.",
    "ODP": "Originator detection pattern, DC1 in both parities: has the far end V.42?",
    "ADP received": "The far end has V.42: the protocol begins.",
    "ADP": "Answerer detection pattern, the letters EC: this modem has V.42.",
    "XID received": "The far end's identification: both use the smaller value of each.",
    "XID": "Exchange of identification: lengths of frames, how many may be under way, compression.",
    "SABME": "Asks the far end to begin the numbered frames; UA answers it.",
    "DISC": "Disconnect: the far end is told that the connection ends, and nothing is lost.",
}

_TABLES: Mapping[str, Mapping[str, str]] = {
    "V.8": _V8,
    "V.25": _V8,
    "V.34": _V34,
    "V.32bis": _V32,
    "V.22bis": _V22,
    "V.42": _V42,
}

_AUTOMODE = ("2225 Hz", "T_c", "offers")
"""Steps that stand in a modulation's Recommendation, but belong to the choice between modulations."""

_CLEARDOWN = "The far end is told that the call ends, so that it need not find out by the loss of the signal."

_HEARD = ("awaits", "waiting for")
_HEARD_AT = {("ANS", "V.25 (10/96) §5"), ("ANSam", "V.8 (11/2000) §8.1.1")}
"""What the answerer sends, where the caller has heard it."""

_HEARD_STEPS = ("2225 Hz", "T_c", "training", "preamble?", "S heard")


def explain(name: str, clause: str) -> tuple[str, str]:
    """Return what a step is for ("" for one that nobody knows) and who does it: near, far or both.

    Args:
        name: Of the step, as the modulation or the link calls it.
        clause: Where it stands, its Recommendation first; "" for what stands in none.
    """
    side = _side(name, clause)
    if name == "cleardown":
        return _CLEARDOWN, side
    waits = next((word for word in _HEARD if name.startswith(word)), "")
    wanted = name.removeprefix(waits).strip()
    text = _find(wanted, _table(name, clause))
    return f"Waiting: {text}" if waits and text else text, side


def _table(name: str, clause: str) -> Mapping[str, str]:
    if not clause or name.startswith(_AUTOMODE) or "§A.2" in clause:
        return _V8
    return _TABLES.get(clause.split(" ")[0], _FSK)


def _find(wanted: str, table: Mapping[str, str]) -> str:
    known = [key for key in table if wanted.startswith(key)]
    return table[max(known, key=len)] if known else ""


def _side(name: str, clause: str) -> str:
    if name.startswith(("data", "chooses")):
        return BOTH
    heard = name.startswith((*_HEARD, *_HEARD_STEPS)) or " received" in name or (name, clause) in _HEARD_AT
    return FAR if heard else NEAR
