"""What each step of a handshake is there for, in one sentence; the names are those of `PhaseEntered`."""

NEAR, FAR, BOTH = "near", "far", "both"

_V8 = {
    "ANSam": "2100 Hz, turned in phase every 450 ms and waving 15 times a second: a modem with V.8.",
    "ANS": "The answer tone of 2100 Hz: it switches the network's echo cancellers off.",
    "CI": "Call indicator: the caller says that it is a modem before anything has answered.",
    "CM": "Call menu, at 300 bit/s: the caller lists its modulations.",
    "JM": "Joint menu: the answerer names the modulations that both have.",
    "CJ": "The caller has the joint menu: what was agreed begins.",
    "silence T_e": "A pause of a second in which the network's echo cancellers see the answer tone's turns.",
    "silence": "A pause, so that what came before has died away.",
    "chooses": "The modulation is agreed on.",
}

_V34 = {
    "silence before phase 2": "A pause between V.8 and phase 2.",
    "INFO0": "Symbol rates and features, sent at 600 bit/s.",
    "tone A": "The answerer's 2400 Hz; its turns in phase are marks in time.",
    "tone B": "The caller's 1200 Hz; its turns in phase are marks in time.",
    "40 ms": "A turn of phase is answered after 40 ms exactly: the round trip is known from it.",
    "10 ms": "10 ms of the tone, turned in phase, so that the far end can take the time.",
    "L1": "21 tones 6 dB louder than data, then at data level: how the line treats each frequency.",
    "L2": "The probing tones at data level: which symbol rate and how much noise there is.",
    "INFO1": "Symbol rates, carrier, level and pre-emphasis that were chosen by the probing.",
    "end of phase 2": "Phase 2, line probing, is over.",
    "S, PP, TRN": "Start of phase 3: S begins the symbols, PP sets the equaliser, TRN trains it.",
    "S": "Two symbols in turn: the receiver finds strength, timing and phase.",
    "training": "The equaliser and the echo canceller learn the line.",
    "TRN": "Scrambled ones: equaliser and echo canceller are refined.",
    "J": "The size of constellation that the far end is to train with.",
    "MP": "Modulation parameters: data rates both ways, trellis code, precoding, shaping.",
    "MP'": "The parameters again, with the far end's acknowledged.",
    "E, B1": "E ends the parameters, B1 is the first frame of data: ones.",
    "data": "User data flows.",
}

_V32 = {
    "AA": "The caller repeats one signal state: it speaks V.32.",
    "AC": "The answerer alternates two states; turning them gives the far end the time.",
    "CA": "The answerer turns its alternation: the round trip can be measured.",
    "CC": "The caller turns its signal state in answer: the round trip is known.",
    "S, TRN": "S, then scrambled ones: the far end trains its echo canceller on silence, then its equaliser.",
    "training": "The equaliser learns the line.",
    "R1": "First rate signal: the answerer's rates.",
    "R2": "Second rate signal: the caller's rates, within those of the first.",
    "R3": "Third rate signal: the rate that is used.",
    "S-bar": "S turned: the instant at which training begins.",
    "E, B1": "E ends the rate signal; ones at the data rate follow.",
    "E": "The end of the rate signal.",
    "data": "User data flows.",
}

_V22 = {
    "unscrambled ones": "The answerer is a modem of the V.22 family.",
    "silence after": "A pause after the answerer was recognised.",
    "S1": "Double dibits 00 and 11 in turn: 2400 bit/s is possible.",
    "scrambled ones at 1200": "Ones through the scrambler: equaliser and timing settle on four points.",
    "16-way decisions": "The receiver goes over to sixteen points.",
    "scrambled ones at 2400": "Ones at 2400 bit/s: the equaliser settles on sixteen points.",
    "32 ones": "32 ones in a row at 2400 bit/s say that the far end is ready.",
    "data": "User data flows.",
}

_FSK = {
    "mark": "Binary 1 without end: the carrier by which the far end knows this modem.",
    "data": "User data flows.",
}

_BY_RECOMMENDATION = {"V.8": _V8, "V.25": _V8, "V.34": _V34, "V.32bis": _V32, "V.32": _V32, "V.22bis": _V22}

_HEARD = ("awaits", "waiting for", "silent, listening")


def explain(name: str, clause: str) -> tuple[str, str]:
    """Return what a step is for ("" where its name says it all) and who does it: near, far or both.

    Args:
        name: Of the step, as the modulation calls it.
        clause: Where it stands, its Recommendation first.
    """
    table = _BY_RECOMMENDATION.get(clause.split(" ")[0], _FSK if clause else _V8)
    waits = next((word for word in _HEARD if name.startswith(word)), "")
    heard = bool(waits) or " received" in name
    wanted = name.removeprefix(waits).strip()
    for key in sorted(table, key=len, reverse=True):
        if wanted.startswith(key):
            return ("Waiting: " if waits else "") + table[key], FAR if heard else NEAR
    side = BOTH if name in ("data",) or name.startswith(("data ", "chooses")) else FAR if heard else NEAR
    return "", side
