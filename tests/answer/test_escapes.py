from datetime import datetime

import pytest

from ansam.answer.escapes import PromptValues, expand
from ansam.answer.settings import DEFAULT_ISSUE, DEFAULT_LOGIN_PROMPT, Machine

VALUES = PromptValues(
    machine=Machine("cl-002", "Linux", "x86_64", "6.1.0", "#1 SMP"),
    port="ttyUSB0",
    speed=57600,
    connect="2400/NONE",
    caller_id="07",
    users=3,
    moment=datetime(2026, 8, 3, 14, 5, 9),
)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        (DEFAULT_ISSUE, b"Debian GNU/Linux ttyUSB0 57600 (2400/NONE)\n"),
        (DEFAULT_LOGIN_PROMPT, b"cl-002 ttyUSB0 login: "),
        (r"\s \m \R \V", b"Linux x86_64 6.1.0 #1 SMP"),
        (r"\C|\D|\T", b"Mon Aug  3 14:05:09 2026|8/3/2026|14:05:09"),
        (r"\N\U \L \Y", b"33 ttyUSB0 07"),
        (r"\n\r\g\b\f\t\v", b"\n\r\a\b\f\t\v"),
        (r"a\040b\32c\0x41g\0X42", b"a b\x20cAgB"),
        (r"\q\\\z", b"q\\z"),
        (r"\09", b""),
        (r"\301", b"\x2d"),
        ("end\\", b"end"),
        ("", b""),
    ],
)
def test_escapes(template: str, text: bytes) -> None:
    assert expand(template, VALUES) == text


def test_long_text_is_cut_before_300_characters() -> None:
    assert expand("x" * 400, VALUES) == b"x" * 296


def test_value_that_does_not_fit_is_left_out() -> None:
    assert expand("x" * 294 + r"\P" + "y", VALUES) == b"x" * 294 + b"y"
    assert expand("x" * 280 + r"\T", VALUES) == b"x" * 280 + b"(x)"


def test_nodename_that_does_not_fit_ends_the_text() -> None:
    assert expand("x" * 294 + "@" + "y", VALUES) == b"x" * 294
