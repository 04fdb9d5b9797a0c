"""Reports in a real browser, for tests; as a command it checks pages with axe-core.

    python -m tests.report.browser axe.min.js reports/*/report.html

prints what axe-core finds in each page, light and dark, wide and narrow; exit status 1 if anything.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
PATIENCE = 120
"""Seconds for an answer of the browser."""
KEYS = {
    "Tab": 9, "Enter": 13, "Escape": 27, "End": 35, "Home": 36, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39,
    "ArrowDown": 40,
}  # fmt: skip
"""Codes of the keys that tests press."""

START = """
import fcntl, os, sys
files = [fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3]]
for number, file in enumerate(files, start=3):
    os.dup2(file, number)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Becomes the browser, which reads from file 3 and writes to file 4."""

AXE = """
axe.run(document, {resultTypes: ["violations"]}).then(({violations}) => done(violations.map(
    ({id, impact, help, nodes}) => ({id, impact, help, n: nodes.length, first: nodes[0].html.slice(0, 300),
    why: nodes[0].failureSummary}))));
"""


def browser() -> str | None:
    """The path of a Chromium: ``$CHROMIUM``, else the first that is installed."""
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


class Page:
    """A page in a browser, spoken to by Chromium's DevTools protocol: one JSON a message, ended by a zero byte."""

    def __init__(self, send: int, receive: int) -> None:
        self.send, self.receive = send, receive
        self.numbers, self.rest, self.session = itertools.count(1), b"", {}
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = {"sessionId": self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]}
        self.call("Page.enable")
        self.call("Emulation.setFocusEmulationEnabled", enabled=True)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        """A command and its answer. Raises RuntimeError with what the browser says instead."""
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params, **self.session}
        os.write(self.send, json.dumps(message).encode() + b"\0")
        answer = self._wait(lambda said: said.get("id") == number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, page: Path, dark: bool = False, width: int = 1200) -> None:
        """Load `page` into a window of `width` pixels, until its script has run."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url=page.resolve().as_uri())
        self._wait(lambda said: said.get("method") == "Page.loadEventFired")

    def run(self, script: str) -> Any:
        """What `script` hands to ``done(value)``."""
        code = f"new Promise((done) => {{ {script} }})"
        answer = self.call("Runtime.evaluate", expression=code, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:2_000])
        return answer["result"].get("value")

    def press(self, *keys: str) -> None:
        """Press and let go each of `keys` as a user does."""
        for key in keys:
            key, shift = key.removeprefix("Shift+"), 8 if key.startswith("Shift+") else 0
            event = {"key": key, "code": key, "windowsVirtualKeyCode": KEYS[key], "modifiers": shift}
            text = {"text": "\r"} if key == "Enter" else {}
            self.call("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **event, **text)
            self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def point(self, x: float, y: float) -> None:
        """Move the mouse there, in pixels of the window."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def picture(self) -> bytes:
        """What the window shows, as a PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot")["data"])

    def _wait(self, wanted: Any) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE
        while True:
            while b"\0" in self.rest:
                message, _, self.rest = self.rest.partition(b"\0")
                said: dict[str, Any] = json.loads(message)
                if wanted(said):
                    return said
            if not select.select([self.receive], [], [], max(0.0, end - time.monotonic()))[0]:
                raise TimeoutError(f"the browser said nothing for {PATIENCE} s")
            data = os.read(self.receive, 1 << 20)
            if not data:
                raise RuntimeError("the browser has ended")
            self.rest += data


@contextmanager
def opened() -> Iterator[Page]:
    """A browser with an empty page."""
    path = browser()
    assert path is not None, f"none of {', '.join(NAMES)} is installed"
    (theirs_in, ours_out), (ours_in, theirs_out) = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [sys.executable, "-c", START, str(theirs_in), str(theirs_out), path, *FLAGS, f"--user-data-dir={profile}"],
            pass_fds=(theirs_in, theirs_out), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(theirs_in)
        os.close(theirs_out)
        try:
            yield Page(ours_out, ours_in)
        finally:
            os.close(ours_out)
            os.close(ours_in)
            process.kill()
            process.wait()


def main(axe: str, *pages: str) -> int:
    """Check each page; returns the exit status."""
    source, found = Path(axe).read_text(encoding="utf-8"), 0
    with opened() as shown:
        for page, dark, width in itertools.product(pages, (False, True), (1200, 400)):
            shown.open(Path(page), dark, width)
            violations = shown.run(source + AXE)
            found += len(violations)
            print(f"{page}, {'dark' if dark else 'light'}, {width} px: {len(violations)} violations", flush=True)
            for each in violations:
                print(f"  {each['id']} ({each['impact']}): {each['help']}; {each['n']} times, first {each['first']}")
                print("    " + each["why"].replace("\n", "\n    "))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
