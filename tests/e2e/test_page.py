"""A visitor at the page of a demo, in a real Chromium: on a wide screen, then all again on a narrow one."""

import re
import subprocess
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansam.config.web import WebConfig
from ansam.sim import SimOptions, run
from ansam.sim.recording import Recording

pytest.importorskip("selenium", reason="selenium is not installed")

from tests.support.browser import NARROW, WIDE, Visitor, visitor
from tests.support.web import PASSWORD, make_sources, own_address, served, users

pytestmark = [pytest.mark.peer("chromium", "chromium-driver"), pytest.mark.xdist_group("page")]

MODEM = "ttyUSB2"
FIRST_LOAD = 700_000
HANDSHAKE = 4
"""Seconds of a recording: V.8 is over by then."""
PAGES = ("modems", f"modems/{MODEM}", "exchange", "adaptor", "recordings", "doctor")
SCREENS = pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
PROXY = """
return [...document.querySelectorAll('.setting')]
  .find(one => one.querySelector('label').innerText === 'Proxy').querySelector('input').value
"""
SCRUB = """
const slider = document.querySelector('.scrub');
slider.value = arguments[0];
slider.dispatchEvent(new Event('input', {bubbles: true}));
"""
BARESIP = """
poll_method epoll
sip_listen 127.0.0.1:0
net_interface 127.0.0.1
module_path /usr/lib/baresip/modules
module g711.so
module_app account.so
module_app menu.so
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    with visitor(tmp_path_factory.mktemp("downloads")) as one:
        yield one


def _fits(page: Visitor) -> bool:
    return bool(page.driver.execute_script("return document.documentElement.scrollWidth <= innerWidth"))


def test_first_load_is_light(page: Visitor) -> None:
    page.screen(WIDE)
    page.visit("modems")
    page.see(".faceplate")
    assert 10_000 < page.loaded() < FIRST_LOAD
    assert page.complaints() == []


def _hear_and_scrub(page: Visitor) -> None:
    """Start the sound and stop it; go some seconds back and see the steps of then, and go on."""
    page.press("Hear it")
    page.press("Hearing it")
    page.press("Hear it", "button[aria-pressed=false]")
    page.press("Hearing it")
    page.until(lambda: re.search(r"\b0:(1[6-9]|[2-5]\d)\b", page.text(".glass")), "16 s of a call")
    steps = len(page.find(".rung"))
    page.press("Pause")
    page.driver.execute_script(SCRUB, -15)
    page.read("-15.0 s", ".toolbar output")
    assert 0 < len(page.find(".rung")) < steps
    page.press("Go on")
    page.read("live", ".toolbar output")
    assert len(page.find(".rung")) >= steps


@SCREENS
def test_dial_05_at_n4(page: Visitor, size: tuple[int, int]) -> None:
    page.screen(size)
    page.visit(f"modems/{MODEM}")
    page.read("connected to the port", ".terminal")
    page.driver.execute_script("document.querySelector('.rate select').value = '4'")
    page.see(".dial-number").send_keys("05")
    page.press("Dial")
    page.read("AT&N4DT05", ".terminal")
    page.see('[data-light="OH"][data-on="true"]')
    page.read("CONNECT 4800/ARQ/V34/LAPM/V42BIS", ".glass", 60)
    page.see('[data-light="CD"][data-on="true"]')
    page.see('[data-light="ARQ"][data-on="true"]')
    page.read("login:", ".terminal", 20)
    page.until(lambda: re.search(r"[1-9]\d* points", page.text(".points")), "points of the constellation")
    assert len(page.find(".rung")) > 5
    page.read("AT&N4DT05", ".at")
    page.read("SABME", ".lapm")
    assert page.violations() == []
    assert _fits(page)
    if size == WIDE:
        _hear_and_scrub(page)
    page.press("Hang up")
    page.read("on hook", ".glass", 20)
    assert page.complaints() == []
    page.visit("exchange")
    page.until(lambda: re.search(r"\b06\s+(To\s+)?05\b", page.text(".records")), "the call's record")
    assert _fits(page)


@SCREENS
@pytest.mark.peer("baresip-core")
def test_add_an_extension_and_register_with_it(page: Visitor, size: tuple[int, int], tmp_path: Path) -> None:
    number = "21" if size == WIDE else "22"
    page.screen(size)
    page.visit("adaptor")
    registrar = page.driver.execute_script(PROXY)
    page.visit("exchange")
    page.press("Add an extension")
    page.see("dialog input[name=number]").send_keys(number)
    page.press("Save")
    secret = page.see("dialog .secret").text
    page.press("Done")
    page.see(f'[aria-label="Edit {number}"]')
    (tmp_path / "config").write_text(BARESIP)
    account = f"<sip:{number}@{registrar}>;auth_user={number};auth_pass={secret};regint=60\n"
    (tmp_path / "accounts").write_text(account)
    with subprocess.Popen(
        ["baresip", "-f", str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as baresip:
        try:
            page.read(f"sip:{number}", "main", 15)
        finally:
            baresip.terminate()
    assert page.complaints() == []


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The beginning of a call of the simulator, as one of its ends heard it."""
    directory = tmp_path_factory.mktemp("call")
    with Recording(directory) as kept:
        run(SimOptions(calling=("AT+MS=V22B",), seconds=0.1), recording=kept)
    with (
        wave.open(str(directory / "caller.wav")) as whole,
        wave.open(str(directory / "short.wav"), "wb") as short,
    ):
        short.setparams(whole.getparams())
        short.writeframes(whole.readframes(HANDSHAKE * whole.getframerate()))
    return directory / "short.wav"


@SCREENS
def test_upload_a_recording(page: Visitor, size: tuple[int, int], tmp_path: Path, recording: Path) -> None:
    sound = tmp_path / f"call-{size[0]}.wav"
    sound.write_bytes(recording.read_bytes())
    page.screen(size)
    page.visit("recordings")
    page.see('input[type="file"]').send_keys(str(sound))
    page.press("Upload")
    page.read(sound.name, ".recording h2", 60)
    page.until(
        lambda: page.driver.execute_script("return document.querySelector('.spectra img')?.naturalWidth"),
        "the picture",
    )
    page.press(str(page.find(".mark")[-1].get_attribute("aria-label")))
    page.until(
        lambda: page.driver.execute_script("return document.querySelector('audio').currentTime > 0"),
        "sound",
    )
    assert _fits(page)
    assert page.complaints() == []


@pytest.mark.parametrize(("size", "theme"), [(WIDE, "dark"), (NARROW, "light")], ids=["dark", "light"])
def test_no_serious_obstacle(page: Visitor, size: tuple[int, int], theme: str) -> None:
    page.screen(size, theme)
    found = {}
    for path in PAGES:
        page.visit(path)
        time.sleep(0.3)
        found[path] = [*page.violations(), *([] if _fits(page) else ["wider than the screen"])]
    assert not any(found.values()), found


def test_log_in_where_others_reach_the_page(page: Visitor, tmp_path: Path) -> None:
    """A viewer sees, and finds nothing to work with; the last test, for it leaves the demo's page."""
    page.screen(NARROW)
    config = WebConfig(own_address(), 0, users=users())
    with served(config, make_sources(tmp_path)) as url:
        page.driver.get(url)
        page.see("input[name=user]").send_keys("viewer")
        page.see("input[name=password]").send_keys("wrong\n")
        page.until(lambda: page.text(".wrong"), "that the password is wrong")
        assert page.violations() == []
        page.complaints()  # of the 401s
        page.see("input[name=password]").send_keys(f"{PASSWORD}\n")
        page.read("m1", ".faceplate")
        assert page.find("form.controls") == []
        page.driver.get(f"{url}#/recordings")
        page.read("None yet")
        assert page.find('input[type="file"]') == []
        page.press("Log out")
        page.see("input[name=user]")
        assert page.complaints() == []
