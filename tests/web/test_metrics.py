"""What the Grafana dashboard asks for is what there is."""

import json
import re
from pathlib import Path

import pytest
from tests.support.web import FakeModem, client, make_app

from ansam.errors import ResourceError
from ansam.io.control import PanelState

DASHBOARD = Path(__file__).parents[2] / "docs" / "grafana.json"


def test_the_dashboard_draws_figures_that_there_are(tmp_path: Path) -> None:
    with client(make_app(tmp_path)) as page:
        page.get("/healthz")
        text = page.get("/metrics").text
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = {name for p in panels for t in p["targets"] for name in re.findall(r"ansam_\w+", t["expr"])}
    assert len(asked) == 8
    assert asked <= set(re.findall(r"^(ansam_\w+)", text, re.MULTILINE))


def test_a_modem_that_does_not_answer_hides_no_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(self: FakeModem) -> PanelState:
        if self.id == "m1":
            raise ResourceError("modem m1 does not answer", "")
        return await state(self)

    state = FakeModem.state
    monkeypatch.setattr(FakeModem, "state", silent)
    with client(make_app(tmp_path)) as page:
        assert page.get("/metrics").status_code == 200
        shown = page.get("/api/modems")
        assert shown.status_code == 200
        assert "m1" not in [modem["id"] for modem in shown.json()["modems"]]
        assert shown.json()["modems"]
