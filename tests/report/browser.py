"""Reports in a real browser: `look` is for tests; as a command it checks pages with axe-core.

    python -m tests.report.browser axe.min.js reports/*/report.html

prints what axe-core finds in each page, light and dark, wide and narrow; exit status 1 if anything.
"""

from __future__ import annotations

import html
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--virtual-time-budget=60000",
)  # fmt: skip

AXE = """
axe.run(document, {resultTypes: ["violations"]}).then(({violations}) => done(violations.map(
    ({id, impact, help, nodes}) => ({id, impact, help, n: nodes.length, first: nodes[0].html.slice(0, 300),
    why: nodes[0].failureSummary}))));
"""


def browser() -> str | None:
    """The path of a Chromium: ``$CHROMIUM``, else the first that is installed."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


def look(page: Path, script: str, dark: bool = False, width: int = 1200) -> Any:
    """Open `page` in a window of `width` pixels, run `script` there, and return what it hands to ``done(value)``."""
    path = browser()
    assert path is not None, f"none of {', '.join(NAMES)} is installed"
    ending = f"""<script>
    const done = (value) => {{
      const said = document.createElement("pre");
      said.id = "said"; said.textContent = JSON.stringify(value); document.body.append(said);
    }};
    {script}
    </script>"""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "page.html"
        copy.write_text(page.read_text(encoding="utf-8").replace("</body>", f"{ending}</body>"), encoding="utf-8")
        scheme, size = f"--blink-settings=preferredColorScheme={0 if dark else 1}", f"--window-size={width},900"
        command = [path, *FLAGS, scheme, size, f"--user-data-dir={folder}/profile", "--dump-dom", copy.as_uri()]
        shown = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False).stdout
    said = re.search(r'<pre id="said">(.*?)</pre>', shown, flags=re.DOTALL)
    assert said is not None, f"{page}: the script did not end"
    return json.loads(html.unescape(said.group(1)))


def main(axe: str, *pages: str) -> int:
    """Check each page; returns the exit status."""
    source, found = Path(axe).read_text(encoding="utf-8"), 0
    for page, dark, width in itertools.product(pages, (False, True), (1200, 400)):
        violations = look(Path(page), source + AXE, dark, width)
        found += len(violations)
        print(f"{page}, {'dark' if dark else 'light'}, {width} px: {len(violations)} violations")
        for each in violations:
            print(f"  {each['id']} ({each['impact']}): {each['help']}; {each['n']} times, first {each['first']}")
            print("    " + each["why"].replace("\n", "\n    "))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
