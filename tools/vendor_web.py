"""Fetches the page's libraries from npm again: exact versions, checked, with the few edits stated here.

    .venv/bin/python tools/vendor_web.py

Needs npm. Writes src/ansam/web/static/vendor and tests/web/vendor, with a manifest of SHA-256 sums that a
test holds the files to. A package with another checksum, or an edit whose place is not found exactly once,
stops it.
"""

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE, TESTS = ROOT / "src/ansam/web/static/vendor", ROOT / "tests/web/vendor"

SHEET = """\
/* Changed for ansam (tools/vendor_web.py): where the original writes a style element or a style attribute,
   which a strict Content-Security-Policy refuses, this fills a constructed stylesheet or the element's own
   style. */
function constructedSheet(d){const s=new CSSStyleSheet,e=d.createElement("span"),r=e.remove;e.hidden=!0;
d.adoptedStyleSheets=[...d.adoptedStyleSheets,s];
Object.defineProperty(e,"textContent",{set(c){s.replaceSync(c)}});
e.remove=()=>{d.adoptedStyleSheets=d.adoptedStyleSheets.filter(o=>o!==s);r.call(e)};return e}
"""


@dataclass(frozen=True)
class Package:
    """One released package.

    Attributes:
        name: As `npm pack` takes it.
        integrity: SHA-512 of its tarball, as npm states it.
        folder: Where its files go.
        files: From the package to the name there.
        edits: File, text found exactly once, and what stands there instead.
        before, after: Put around a file.
    """

    name: str
    integrity: str
    folder: Path
    files: dict[str, str]
    edits: tuple[tuple[str, str, str], ...] = ()
    before: tuple[tuple[str, str], ...] = ()
    after: tuple[tuple[str, str], ...] = ()


PACKAGES = (
    Package(
        "@xterm/xterm@6.0.0",
        "sha512-TQwDdQGtwwDt+2cgKDLn0IRaSxYu1tSUjgKarSDkUM0ZNiSRXFpjxEsvc/Zgc5kq5omJ+V0a8/kIM2WD3sMOYg==",
        PAGE / "xterm",
        {"lib/xterm.mjs": "xterm.js", "css/xterm.css": "xterm.css", "LICENSE": "LICENSE"},
        edits=(
            ("xterm.js", 'n.mainDocument.createElement("style")', "constructedSheet(n.mainDocument)"),
            (
                "xterm.js",
                'this._dimensionsStyleElement=this._document.createElement("style")',
                "this._dimensionsStyleElement=constructedSheet(this._document)",
            ),
            (
                "xterm.js",
                'this._themeStyleElement=this._document.createElement("style")',
                "this._themeStyleElement=constructedSheet(this._document)",
            ),
            (
                "xterm.js",
                't.setAttribute("style",`${t.getAttribute("style")||""}${e};`)',
                't.style.cssText+=e+";"',
            ),
            ("xterm.js", "//# sourceMappingURL=xterm.mjs.map\n", ""),
        ),
        before=(("xterm.js", SHEET),),
    ),
    Package(
        "@xterm/addon-fit@0.11.0",
        "sha512-jYcgT6xtVYhnhgxh3QgYDnnNMYTcf8ElbxxFzX0IZo+vabQqSPAjC3c1wJrKB5E19VwQei89QCiZZP86DCPF7g==",
        PAGE / "xterm-fit",
        {"lib/addon-fit.mjs": "addon-fit.js", "LICENSE": "LICENSE"},
        edits=(("addon-fit.js", "//# sourceMappingURL=addon-fit.mjs.map\n", ""),),
    ),
    Package(
        "uplot@1.6.32",
        "sha512-KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw==",
        PAGE / "uplot",
        {"dist/uPlot.iife.min.js": "uplot.js", "dist/uPlot.min.css": "uplot.css", "LICENSE": "LICENSE"},
        after=(("uplot.js", "\nexport default uPlot;\n"),),
    ),
    Package(
        "axe-core@4.14.1",
        "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
        TESTS / "axe",
        {"axe.min.js": "axe.min.js", "LICENSE": "LICENSE"},
    ),
)


def _unpacked(package: Package, into: Path) -> Path:
    done = subprocess.run(
        ["npm", "pack", "--json", package.name], cwd=into, check=True, capture_output=True, text=True
    )
    tarball = into / json.loads(done.stdout)[0]["filename"]
    digest = "sha512-" + base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    if digest != package.integrity:
        sys.exit(f"{package.name}: {digest}, wanted {package.integrity}")
    with tarfile.open(tarball) as archive:
        archive.extractall(into, filter="data")
    return into / "package"


def _edited(package: Package, name: str, text: str) -> str:
    for file, old, new in package.edits:
        if file == name:
            if text.count(old) != 1:
                sys.exit(f"{package.name}: {text.count(old)} places in {name} read {old!r}; edit it anew")
            text = text.replace(old, new)
    before = "".join(part for file, part in package.before if file == name)
    after = "".join(part for file, part in package.after if file == name)
    return before + text + after


def vendor(package: Package) -> dict[str, str]:
    """Put a package's files in place; return the SHA-256 of each by its name below the vendor folder."""
    package.folder.mkdir(parents=True, exist_ok=True)
    sums = {}
    with tempfile.TemporaryDirectory() as keep:
        source = _unpacked(package, Path(keep))
        for path, name in package.files.items():
            data = _edited(package, name, (source / path).read_text()).encode()
            (package.folder / name).write_bytes(data)
            sums[f"{package.folder.name}/{name}"] = hashlib.sha256(data).hexdigest()
    return sums


def main() -> None:
    for top in (PAGE, TESTS):
        manifest = {package.name: vendor(package) for package in PACKAGES if package.folder.parent == top}
        (top / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main()
