"""What the page's own script does, in a browser; left out where there is none."""

import pytest

from hyperbudget.report import build
from tests.report.browser import browser, look
from tests.report.frames import mnist

pytestmark = [pytest.mark.slow, pytest.mark.skipif(browser() is None, reason="no Chromium is installed")]

LOOK = """
const press = (key) => document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));
const said = () => document.querySelector(".tip").hidden ? null : document.querySelector(".tip").textContent;
const found = {};
const plot = document.querySelector("figure svg"), marks = plot.querySelectorAll("use[aria-label]");
found.marks = marks.length;
found.stops = plot.querySelectorAll('[tabindex="0"]').length;
found.before = said();
plot.querySelector('[tabindex="0"]').focus();
found.first = [said(), document.activeElement.getAttribute("aria-label")];
press("ArrowRight");
found.second = [said(), document.activeElement.getAttribute("aria-label")];
press("End"); press("ArrowRight");
found.last = said();
press("Escape");
found.escaped = said();
found.stopsAfter = plot.querySelectorAll('[tabindex="0"]').length;
const box = marks[3].getBoundingClientRect();
const [clientX, clientY] = [box.x + box.width / 2 + 3, box.y + box.height / 2];
plot.dispatchEvent(new PointerEvent("pointermove", {clientX, clientY}));
found.hovered = said() !== null;
const table = document.querySelector("table.sortable"), heads = [...table.tHead.rows[0].cells];
const head = heads.find((each) => each.textContent === "Parameters");
const column = () => [...table.tBodies[0].rows].map((row) => Number(row.cells[2].textContent.replaceAll(",", "")));
head.querySelector("button").click();
found.rising = [head.getAttribute("aria-sort"), column()];
head.querySelector("button").click();
found.falling = [head.getAttribute("aria-sort"), column()];
heads[0].querySelector("button").click();
found.sorted = heads.filter((each) => each.hasAttribute("aria-sort")).length;
const link = document.querySelector("a[download]"), before = link.href;
link.addEventListener("click", (event) => event.preventDefault());
link.click();
found.dark = matchMedia("(prefers-color-scheme: dark)").matches;
fetch(link.href).then((answer) => answer.text()).then((text) => {
  found.same = text === new TextDecoder().decode(Uint8Array.from(atob(before.split(",")[1]), (c) => c.charCodeAt(0)));
  found.lines = text.trim().split("\\n").length;
  done(found);
});
"""


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    (path,) = build(mnist(), tmp_path_factory.mktemp("page"), "html")
    return path


def test_points_tables_and_download(page):
    found = look(page, LOOK, dark=True)
    assert found["dark"]
    assert found["marks"] == 33 + 11
    assert found["stops"] == found["stopsAfter"] == 1
    assert found["before"] is None
    for place in ("first", "second"):
        shown, label = found[place]
        assert shown == label
    assert found["first"] != found["second"]
    assert found["last"]
    assert found["escaped"] is None
    assert found["hovered"]
    order, numbers = found["rising"]
    assert order == "ascending"
    assert numbers == sorted(numbers)
    order, numbers = found["falling"]
    assert order == "descending"
    assert numbers == sorted(numbers, reverse=True)
    assert found["sorted"] == 1
    assert found["same"]
    assert found["lines"] == 34


def test_a_narrow_page_scrolls_only_in_its_boxes(page):
    found = look(page, "done([document.documentElement.scrollWidth, innerWidth])", width=500)
    assert found[0] <= found[1]
