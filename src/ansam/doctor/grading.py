"""From findings to the diagnosis."""

from ansam.codec.g711 import Law
from ansam.doctor import grading_echo, grading_modem
from ansam.doctor.diagnosis import Diagnosis, Grade, Item, worst
from ansam.doctor.discovery import Far
from ansam.doctor.media import Media
from ansam.doctor.party import Findings
from ansam.doctor.prediction import Prediction

_NOTHING = {
    Far.ECHO: "what was sent came back too changed to be recognised, or not long enough",
    Far.MODEM: "the modem could not be examined",
    Far.VOICE: "a voice, music or a tone answered: neither an echo test nor a modem",
    Far.SILENCE: "the call was answered, but nothing was heard: no echo, no modem, no audio at all",
}


def diagnose(findings: Findings, law: Law, media: Media) -> Diagnosis:
    """Return what findings mean.

    Args:
        findings: Of an examination that is done.
        law: Of our side.
        media: What the packets told.
    """
    connect, prediction = "", Prediction(0, 0, None)
    if findings.echo is not None:
        items = grading_echo.items(findings.echo, law, media, findings.seconds)
        prediction = grading_echo.prediction(findings.echo, law)
    elif findings.modem is not None:
        items = grading_modem.items(findings.modem, media, findings.hybrid)
        prediction = grading_modem.prediction(findings.modem)
        connect = findings.modem.connect
    else:
        items = [Item("far end", findings.far.value, "", Grade.BAD, _NOTHING[findings.far])]
    if findings.cut_short:
        text = f"the far end hung up after {findings.seconds:.0f} s, before the examination was over"
        items.append(Item("call", "cut short", "", Grade.FAIR, text))
    grade = worst([item.grade for item in items])
    return Diagnosis(
        findings.far,
        grade,
        tuple(items),
        prediction,
        connect,
        findings.seconds,
        _summary(findings.far, grade, items, prediction),
    )


def _summary(far: Far, grade: Grade, items: list[Item], prediction: Prediction) -> str:
    culprits = [item.name for item in items if item.grade is grade]
    text = f"{far.value}: {grade.value}"
    if grade is not Grade.GOOD:
        text += f" for {', '.join(culprits)}"
    if prediction.index:
        text += f"; expect {prediction.rate} bit/s (AT&N{prediction.index})"
    return text
