"""Debian's mgetty tells what it makes of a file (``-x9``); ours makes the same of it."""

import os
import re
import subprocess

import pytest
from tests.support.answer import Bench, place
from tests.support.mgetty import NAMESPACE

from ansam.answer.mgetty_config import parse_mgetty_config
from ansam.answer.mgetty_keys import OPTIONS, Kind
from ansam.answer.settings import AnswerSettings

pytestmark = [pytest.mark.peer("mgetty"), pytest.mark.usefixtures("private_mounts")]

CONFIG = r"""
speed 38400   # trailing
rings 3
  port ttyS9
speed 1200
port ttyUSB0
  debug 0x9
  data-only y
  toggle-dtr-waittime 0100
  toggle-dtr NO
  rings 1x
  login-prompt   @  \P "a  b" \
   more login:\040
  login-time 60 # sixty
  prompt-waittime 0
  answer-chat-timeout 0x3c
  ringback tRUE
  ignore-carrier on
  autobauding
  issue-file a\
    b
  term vt102
"""


def mgettys_values(config: str) -> dict[str, str]:
    """What mgetty logs of its options once it has read the file."""
    master, slave = os.openpty()
    script = NAMESPACE + "timeout 1 /usr/sbin/mgetty -x9 ttyUSB0 || true; cat /var/log/mgetty/*\n"
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "CONFIG": config, "ISSUE": ""}
    try:
        done = subprocess.run(
            ["unshare", "--mount", "--uts", "sh", "-c", script],
            env=environment | {"PTY": os.ttyname(slave)}, capture_output=True, check=True, timeout=30,
        )  # fmt: skip
    finally:
        os.close(master)
        os.close(slave)
    log = done.stdout.decode(errors="replace")
    return dict(re.findall(r"key: '(\S+)', type=\d, flags=\d, data=(.*)", log))


def test_the_same_options_and_the_same_values() -> None:
    theirs = mgettys_values(CONFIG)
    assert set(theirs) == set(OPTIONS)
    ours = parse_mgetty_config(CONFIG, "mgetty.config", "ttyUSB0").entries
    for key, entry in ours.items():
        value = str(entry.value).upper() if OPTIONS[key].kind is Kind.YES_NO else str(entry.value)
        assert (key, value) == (key, theirs[key])


def test_the_same_where_the_file_is_silent() -> None:
    theirs = mgettys_values("")
    config = parse_mgetty_config("", "mgetty.config", "ttyUSB0")
    settings = config.settings(AnswerSettings())
    manners = config.manners(settings)
    # What Bench shows of the prompt is compared with mgetty's own octets elsewhere.
    assert theirs["login-prompt"].startswith("@ login:")
    assert config.issue_file == theirs["issue-file"]
    assert config.login_config == theirs["login-conf-file"]
    ours = {
        "speed": settings.speed,
        "rings": settings.rings,
        "login-time": settings.login_time,
        "prompt-waittime": settings.prompt_wait * 1000,
        "answer-chat-timeout": settings.answer_timeout,
        "toggle-dtr-waittime": manners.dtr_low * 1000,
        "modem-check-time": manners.check_time,
        "ringback-time": manners.ringback_time,
    }
    assert {key: float(theirs[key]) for key in ours} == ours
    assert (theirs["toggle-dtr"], theirs["fido-send-emsi"]) == ("TRUE", "TRUE")


def test_the_prompt_of_a_silent_file() -> None:
    settings = parse_mgetty_config("fido-send-emsi n", "mgetty.config", "ttyUSB0").settings(AnswerSettings())
    bench = Bench(place(login_prompt=settings.login_prompt))
    assert bench.call().endswith(b"\r\ncl-002 login: ")
