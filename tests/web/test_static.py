"""The page's files: their weight, what they may load, and that libraries are those their makers released."""

import hashlib
import json
import re
import subprocess
from pathlib import Path

import pytest

STATIC = Path(__file__).resolve().parents[2] / "src/ansam/web/static"
HERE = Path(__file__).parent
ALL = 700_000
OWN = [*STATIC.glob("*.html"), *STATIC.glob("js/**/*.js"), *STATIC.glob("css/*.css")]


def test_even_all_files_together_weigh_less_than_a_first_load_may() -> None:
    assert sum(file.stat().st_size for file in STATIC.rglob("*") if file.name not in ("LICENSE",)) < ALL


@pytest.mark.parametrize("folder", [STATIC / "vendor", HERE / "vendor"], ids=["page", "tests"])
def test_libraries_are_as_vendored(folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    wanted = {name: digest for files in manifest.values() for name, digest in files.items()}
    there = {
        str(file.relative_to(folder)): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in folder.rglob("*")
        if file.is_file() and file.name != "manifest.json"
    }
    assert there == wanted
    assert all(f"{name.split('/')[0]}/LICENSE" in there for name in there)


def test_nothing_is_fetched_from_elsewhere_or_written_inline() -> None:
    for file in OWN:
        text = file.read_text().replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://", text), file
        assert not re.search(
            r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=\"|innerHTML|\beval\(", text
        ), file


def test_modules_import_what_exists() -> None:
    for file in STATIC.glob("js/**/*.js"):
        for name in re.findall(r"(?:from|import\()\s*'(\.[^']+)'", file.read_text()):
            assert (file.parent / name).is_file(), f"{file}: {name}"


@pytest.mark.peer("nodejs", "lrzsz")
def test_scripts_pass_their_own_tests() -> None:
    done = subprocess.run(
        ["node", "--test", *sorted(map(str, (HERE / "js").glob("*.test.mjs")))],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
