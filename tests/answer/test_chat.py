import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansam.answer.chat import Chat, ChatState, ChatStep, command_steps, parse_chat


def test_script_of_the_manual() -> None:
    steps = parse_chat('"" ATQ0E1V1H0 OK ATL0M0S0=0 OK AT&K3 OK')
    assert steps == command_steps(("ATQ0E1V1H0", "ATL0M0S0=0", "AT&K3"))


@pytest.mark.parametrize(
    ("word", "send"),
    [
        ("ATZ", ((0.0, b"ATZ\r"),)),
        ('"AT B"', ((0.0, b"AT B\r"),)),
        ("AT\\sA", ((0.0, b"ATsA\r"),)),
        ('AT\\"C', ((0.0, b'AT"C\r'),)),
        ("AT\\x41\\101\\d", ((0.0, b"ATx41101"), (0.5, b"\r"))),
        ("\\dATD\\cE", ((0.5, b"ATDE"),)),
        ('"AT\\nX\\\\Y"', ((0.0, b"AT\nX\\Y\r"),)),
        ("\\d\\d\\d+++\\d\\d\\dAT&F", ((1.5, b"+++"), (1.5, b"AT&F\r"))),
        ("\\c", ()),
    ],
)
def test_what_is_sent(word: str, send: tuple[tuple[float, bytes], ...]) -> None:
    """All but the last as mgetty 1.2.1 sent them to a pty (a CR apart: its ``\\r`` ends a word)."""
    (step,) = parse_chat(f'"" {word} OK')
    assert step.send == send


def run(chat: Chat, until: float, answers: dict[float, bytes]) -> list[tuple[float, bytes]]:
    """What the script says and when, in steps of 0.1 s."""
    said = []
    for tick in range(round(until * 10)):
        now = tick / 10
        chat.handle_timer(now)
        for octet in answers.get(now, b""):
            chat.feed(octet, now)
        if out := chat.take_output():
            said.append((now, out))
    return said


def test_a_script_runs() -> None:
    chat = Chat(parse_chat('"" \\dATZ OK AT&F OK'), 5.0, 0.0)
    said = run(chat, 3.0, {0.2: b"OK", 1.0: b"ATZ\r\r\nO", 1.1: b"K\r\n", 2.0: b"\r\nOK\r\n"})
    assert said == [(0.5, b"ATZ\r"), (1.1, b"AT&F\r")]
    assert chat.state is ChatState.DONE
    assert chat.deadline() is None


def test_an_answer_that_does_not_come() -> None:
    chat = Chat(parse_chat('"" ATZ OK'), 5.0, 0.0)
    assert run(chat, 4.9, {}) == [(0.0, b"ATZ\r")]
    assert chat.state is ChatState.RUNNING
    run(chat, 5.2, {})
    assert chat.state.name == "LATE"
    assert chat.shown == "ATZ"


def test_a_script_may_begin_by_listening_and_be_empty() -> None:
    chat = Chat(parse_chat("RING ATA CONNECT"), 60.0, 0.0)
    assert run(chat, 2.0, {1.0: b"\r\nRING\r\n"}) == [(1.0, b"ATA\r")]
    assert Chat((), 1.0, 0.0).state is ChatState.DONE
    assert Chat((), 1.0, 0.0).shown == ""


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=100))
def test_any_text_is_a_script_that_ends(text: str) -> None:
    steps = parse_chat(text)
    assert all(isinstance(step, ChatStep) for step in steps)
    chat, now = Chat(steps, 1.0, 0.0), 0.0
    while chat.state is ChatState.RUNNING:
        due = chat.deadline()
        assert due is not None
        now = due
        chat.handle_timer(now)
    assert now <= len(text) + 1.0
