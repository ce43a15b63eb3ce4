"""What the documents tell a newcomer to type works."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def test_start_here_runs(capsys):
    text = (ROOT / "docs" / "start-here.md").read_text()
    first, second = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    exec(compile(first, "start-here.md", "exec"), {})
    assert capsys.readouterr().out.count("Ready(modulation='V.22bis', tx_rate=2400, rx_rate=2400)") == 2
    exec(compile(second, "start-here.md", "exec"), {})
    assert "'connected': True" in capsys.readouterr().out


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document):
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text()):
        if "://" not in target:
            assert (document.parent / target).exists(), target
