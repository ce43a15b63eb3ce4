"""A real Chromium at the page of a running demo, driven by Debian's chromedriver, which always matches it."""

import base64
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from tests.support.exchange_live import free_port

ANSAM = shutil.which("ansam") or str(Path(__file__).resolve().parents[2] / ".venv/bin/ansam")
AXE = Path(__file__).resolve().parents[1] / "web/vendor/axe/axe.min.js"
STARTS_WITHIN = 60
WIDE, NARROW = (1280, 900), (390, 844)
ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",  # Chromium refuses to run for root with one
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--autoplay-policy=no-user-gesture-required",
)


@contextmanager
def running_demo() -> Iterator[str]:
    """Run `ansam demo` as a user would; yield where its page is."""
    import socket

    port = free_port(socket.SOCK_STREAM)
    demo = pexpect.spawn(ANSAM, ["demo", "--web-port", str(port)], timeout=STARTS_WITHIN)
    try:
        demo.expect(r"The page: (http://\S+/)")
        yield demo.match.group(1).decode()
    finally:
        demo.send("\x01x")
        demo.expect(pexpect.EOF, timeout=20)
        demo.close(force=True)


class Visitor:
    """Somebody in front of the page."""

    def __init__(self, url: str, downloads: Path) -> None:
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in ARGUMENTS:
            options.add_argument(argument)
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.url = url
        self.driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))

    def close(self) -> None:
        self.driver.quit()

    def screen(self, size: tuple[int, int], theme: str = "light") -> None:
        """Look at it on a screen of this size, with this theme chosen in the system."""
        width, height = size
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600},
        )
        features = [{"name": "prefers-color-scheme", "value": theme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    def visit(self, path: str) -> None:
        self.driver.get(f"{self.url}#/{path}")
        self.see("main .page > *")

    def find(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def see(self, selector: str, within: float = 10) -> WebElement:
        """Wait for an element."""
        return self.until(lambda: next(iter(self.find(selector)), None), selector, within)

    def read(self, words: str, selector: str = "main", within: float = 10) -> None:
        """Wait for words in an element."""
        self.until(lambda: words in self.text(selector), f"{words!r} in {selector}", within)

    def text(self, selector: str) -> str:
        return str(
            self.driver.execute_script(
                "return document.querySelector(arguments[0])?.innerText ?? ''", selector
            )
        )

    def until(self, found: Callable[[], Any], what: str, within: float = 10) -> Any:
        end = time.monotonic() + within
        while time.monotonic() < end:
            if value := found():
                return value
            time.sleep(0.1)
        shown = self.text("body")[-1500:]
        raise AssertionError(f"not within {within} s: {what}; the page shows {shown!r}; {self.complaints()}")

    def press(self, name: str, selector: str = "button") -> None:
        """Press the button or link with this name."""
        script = (
            "return [...document.querySelectorAll(arguments[0])].find("
            "e => (e.getAttribute('aria-label') ?? e.innerText) === arguments[1] && !e.disabled)"
        )
        self.until(lambda: self.driver.execute_script(script, selector, name), f"button {name}").click()

    def complaints(self) -> list[str]:
        """Return what the browser complained of since the last time: errors and broken policies."""
        return [
            entry["message"]
            for entry in self.driver.get_log("browser")
            if entry["level"] in ("SEVERE", "WARNING")
        ]

    def violations(self) -> list[str]:
        """Return axe's serious and critical findings."""
        if not self.driver.execute_script("return Boolean(window.axe)"):
            self.driver.execute_cdp_cmd("Runtime.evaluate", {"expression": AXE.read_text()})
        found = self.driver.execute_async_script(
            "axe.run({resultTypes: ['violations']}).then(r => arguments[0](r.violations))"
        )
        return [
            f"{one['id']}: {one['help']}: {one['nodes'][0]['html'][:200]}"
            for one in found
            if one["impact"] in ("serious", "critical")
        ]

    def loaded(self) -> int:
        """Return the octets that the page has loaded since it was opened, as they came."""
        return int(
            self.driver.execute_script(
                "return [...performance.getEntriesByType('navigation'), "
                "...performance.getEntriesByType('resource')].reduce((n, e) => n + e.encodedBodySize, 0)"
            )
        )

    def picture(self, path: Path, most: int = 1700) -> None:
        """Save what is shown, down to a height, as WebP."""
        size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], most), "scale": 1}
        shot = self.driver.execute_cdp_cmd(
            "Page.captureScreenshot",
            {"format": "webp", "quality": 72, "captureBeyondViewport": True, "clip": clip},
        )
        path.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def visitor(downloads: Path) -> Iterator[Visitor]:
    """Start a demo and a browser at its page."""
    os.environ.setdefault("SE_OFFLINE", "true")
    with running_demo() as url:
        one = Visitor(url, downloads)
        try:
            yield one
        finally:
            one.close()
