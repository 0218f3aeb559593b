"""Reports in a real browser without a window: they open, they log no error, they ask for nothing, they fit a narrow page."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import REPORT

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
COMPARISON = Path(__file__).resolve().parents[3] / "benchmarks" / "results" / "learners" / "compare.json"
pytestmark = [
    pytest.mark.chromium,
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine: reports are not opened in a browser"),
]


def opened(page: Path, width: int, *more: str) -> tuple[str, str]:
    """Return the document as the browser has it, and what the browser logged."""
    command = [str(BROWSER), "--headless=new", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0", "--dump-dom",
               f"--user-data-dir={page.parent / 'browser'}", f"--window-size={width},2000", *more, page.as_uri()]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout, done.stderr


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    shutil.copy(COMPARISON, folder)
    return REPORT(folder)


@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("scheme", ["1", "0"])  # light and dark
def test_a_report_opens_without_an_error(page: Path, width: int, scheme: str) -> None:
    """The browser logs no line of its console, and its document has every section."""
    document, log = opened(page, width, f"--blink-settings=preferredColorScheme={scheme}")
    assert "CONSOLE" not in log, log
    assert document.count("<section") == page.read_text(encoding="utf-8").count("<section") > 3


def test_a_request_would_be_refused_and_seen(page: Path) -> None:
    """The same page with a picture of another place: the page's own rule stops it, and the console says so."""
    text = page.read_text(encoding="utf-8").replace("</main>", '<img src="http://127.0.0.1:9/x.png" alt="x"></main>')
    other = page.with_name("asking.html")
    other.write_text(text, encoding="utf-8")
    _, log = opened(other, 1400)
    assert re.search("CONSOLE.*Content Security Policy", log), log
