"""Work done at the page of a demo in a real Chromium: ZMODEM, an examination, an adaptor's settings."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("selenium", reason="selenium is not installed")

from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select
from tests.support.browser import WIDE, Visitor, visitor

from ansam.answer.samples import PATTERN_NAME, pattern

pytestmark = [pytest.mark.bench, pytest.mark.peer("chromium", "chromium-driver", "lrzsz")]

MODEM = "ttyUSB2"


@pytest.fixture(scope="module")
def downloads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("downloads")


@pytest.fixture(scope="module")
def page(downloads: Path) -> Iterator[Visitor]:
    with visitor(downloads) as one:
        one.screen(WIDE)
        yield one


def types(page: Visitor, prompt: str, text: str) -> None:
    """Wait for a prompt and answer it."""
    page.read(prompt, ".terminal", 60)
    page.driver.switch_to.active_element.send_keys(text)


def test_a_file_by_zmodem(page: Visitor, downloads: Path) -> None:
    page.visit(f"modems/{MODEM}")
    page.read("connected to the port", ".terminal")
    page.driver.execute_script("document.querySelector('.rate select').value = '16'")
    page.press("Dial")
    types(page, "login:", "bbs\n")
    types(page, "name or NEW:", "guest\n")
    types(page, "Main ", "F")
    types(page, "Files ", "D")
    types(page, "Name of the file:", f"{PATTERN_NAME}\n")
    types(page, "1 chosen", "\n")
    types(page, "Protocol (Z", "Z")
    page.read("offers files by ZMODEM", ".transfer", 30)
    page.press("Receive")
    page.read("The transfer is complete", ".terminal", 60)
    page.until(lambda: (downloads / PATTERN_NAME).exists(), "the file")
    assert (downloads / PATTERN_NAME).read_bytes() == pattern()
    page.press("Hang up")
    page.read("on hook", ".glass", 20)
    assert page.complaints() == []


def test_an_examination(page: Visitor) -> None:
    page.visit("doctor")
    number = page.see("form input")
    number.clear()
    number.send_keys("sim:echo")
    page.press("Examine")
    page.read("this takes up to a minute")
    page.until(lambda: page.find(".tag.good, .tag.warn, .tag.bad"), "a grade", 120)
    assert "failed" not in page.text("main")
    assert page.violations() == []
    assert page.complaints() == []


def test_settings_of_an_adaptor(page: Visitor) -> None:
    page.visit("adaptor")
    chosen = next(Select(one) for one in page.find(".setting select:not([disabled])"))
    other = next(one.text for one in chosen.options if one.text != chosen.first_selected_option.text)
    chosen.select_by_visible_text(other)
    page.driver.find_element(By.CSS_SELECTOR, ".adaptor button.main").click()
    page.read("saved; counts when ansam is started again", ".adaptor")
    page.driver.refresh()
    page.see(".setting select")
    again = next(Select(one) for one in page.find(".setting select:not([disabled])"))
    assert again.first_selected_option.text == other
    assert page.complaints() == []
