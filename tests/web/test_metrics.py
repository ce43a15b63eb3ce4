"""What the Grafana dashboard asks for is what there is."""

import json
import re
from pathlib import Path

from tests.support.web import client, make_app

DASHBOARD = Path(__file__).parents[2] / "docs" / "grafana.json"


def test_the_dashboard_draws_figures_that_there_are(tmp_path: Path) -> None:
    with client(make_app(tmp_path)) as page:
        page.get("/healthz")
        text = page.get("/metrics").text
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = {name for p in panels for t in p["targets"] for name in re.findall(r"ansam_\w+", t["expr"])}
    assert len(asked) == 8
    assert asked <= set(re.findall(r"^(ansam_\w+)", text, re.MULTILINE))
