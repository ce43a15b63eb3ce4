"""Takes the pictures of the page for README and docs: a demo, a call, a real Chromium.

    .venv/bin/python tools/page_pictures.py        # writes docs/img/page-*.webp

Needs Debian's chromium and chromium-driver.
"""

import sys
import tempfile
import time
import types
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A package of the same name in site-packages would come before ours, which has no __init__.
tests = types.ModuleType("tests")
tests.__path__ = [str(ROOT / "tests")]
sys.modules["tests"] = tests

from tests.support.browser import NARROW, WIDE, Visitor, visitor  # noqa: E402

PICTURES = ROOT / "docs/img"
HEAVIEST = 150_000
MODEM = "ttyUSB2"


def take(page: Visitor, name: str, most: int = 1500) -> None:
    path = PICTURES / f"page-{name}.webp"
    page.picture(path, most)
    if path.stat().st_size > HEAVIEST:
        sys.exit(f"{path.name}: {path.stat().st_size} octets are too many")
    print(path.name, path.stat().st_size)


def call(page: Visitor) -> None:
    """Dial 05 at 33600 bit/s and look at the menu."""
    page.screen(WIDE, "dark")
    page.visit(f"modems/{MODEM}")
    page.read("connected to the port", ".terminal")
    page.driver.execute_script("document.querySelector('.rate select').value = '16'")
    page.press("Dial")
    page.read("login:", ".terminal", 90)
    page.driver.switch_to.active_element.send_keys("guest\n")
    time.sleep(12)


def main() -> None:
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as keep, visitor(Path(keep)) as page:
        call(page)
        take(page, "modem-dark")
        page.press("Switch to light")
        time.sleep(1)
        take(page, "modem-light")
        page.screen(NARROW)
        time.sleep(1)
        take(page, "modem-phone", 1700)
        page.press("Hang up")
        page.read("on hook", ".glass", 20)
        page.screen(WIDE)
        page.visit("exchange")
        time.sleep(1)
        take(page, "exchange")
        bundle = Path(keep) / "call-05.zip"
        with urllib.request.urlopen(f"{page.url}api/modems/{MODEM}/bundle") as answer:
            bundle.write_bytes(answer.read())
        page.visit("recordings")
        page.see('input[type="file"]').send_keys(str(bundle))
        page.press("Upload")
        page.read(bundle.name, ".recording h2", 300)
        time.sleep(2)
        take(page, "recording")


if __name__ == "__main__":
    main()
