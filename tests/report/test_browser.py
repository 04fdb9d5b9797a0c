"""What the page's own script does, in a browser and by its keys; left out where there is none."""

import json
import re

import pytest

from hyperbudget.report import build
from hyperbudget.report.compare import build_comparison
from tests.report.browser import browser, opened
from tests.report.frames import demo, mnist, moving, sharing_nets

pytestmark = [pytest.mark.slow, pytest.mark.skipif(browser() is None, reason="no Chromium is installed")]

SAID = "done(document.querySelector('.tip').hidden ? null : document.querySelector('.tip').textContent)"
STATE = """
const tip = document.querySelector(".tip"), mark = document.activeElement;
const inside = mark.closest("svg[data-points]");
done({
  label: inside && mark.getAttribute("aria-label"), figure: inside?.getAttribute("aria-labelledby"),
  tip: tip.hidden ? null : tip.innerText, stops: inside?.querySelectorAll('[tabindex="0"]').length,
});
"""
TABLE = """
const table = document.querySelectorAll("main table.sortable")[NUMBER];
const text = (cell) => cell.textContent.trim();
done({
  sorted: [...table.tHead.rows[0].cells].map((cell) => cell.getAttribute("aria-sort")),
  heads: [...table.tHead.rows[0].cells].flatMap((cell) => [text(cell), ...Array(cell.colSpan - 1).fill("")]),
  groups: [...table.tBodies].map((body) => [...body.rows].map((row) => [...row.cells].map(text))),
  seen: [...table.tBodies].map((body) => [...body.rows].map((row) =>
    getComputedStyle(row.cells[0].firstElementChild ?? row.cells[0]).opacity)),
  status: document.querySelector('[role="status"]').textContent, focus: document.activeElement.textContent,
});
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Pages by name."""
    folder = tmp_path_factory.mktemp("pages")
    makers = {"mnist": mnist, "demo": lambda: demo(2), "cells": moving, "nets": sharing_nets}
    found = {name: build(make(), folder / name, "html")[0] for name, make in makers.items()}
    (comparison,) = build_comparison({"old": mnist(), "new": mnist(2)}, folder, "html").files
    return found | {"comparison": comparison}


@pytest.fixture(scope="module")
def page():
    with opened() as shown:
        yield shown


def plain(text):
    """Without breaks, and without what stands for a subscript."""
    return re.sub(r"[\s_]", "", text)


def focus(page, script):
    page.run(f"({script}).focus(); done(null)")


def enter(page, figure):
    """Come to a figure by the Tab key."""
    stop = page.run(f"""
        const stops = document.querySelectorAll('a, button, summary, [tabindex="0"]');
        const all = [...stops].filter((e) => e.checkVisibility());
        const first = document.querySelector('svg[aria-labelledby="{figure}-title"] [tabindex="0"]');
        all[all.indexOf(first) - 1].focus(); done(document.activeElement !== document.body)""")
    assert stop
    page.press("Tab")
    state = page.run(STATE)
    assert state["figure"] == f"{figure}-title"
    return state


def test_every_figure_is_one_stop_and_is_walked_by_arrow_keys(page, files):
    told = set()
    for name, path in files.items():
        page.open(path)
        figures = page.run("done([...document.querySelectorAll('figure svg')].map((svg) => "
                           "svg.getAttribute('aria-labelledby').split(' ')[0].replace('-title', '')))")  # fmt: skip
        assert len(figures) >= 2
        for figure in figures:
            state = enter(page, figure)
            assert state["tip"].endswith("← → along, ↑ ↓ across, Esc leaves"), (name, figure)
            texts = [state["label"]]
            for key in ("ArrowRight", "ArrowDown", "End", "ArrowRight", "ArrowLeft", "Home", "ArrowUp"):
                page.press(key)
                state = page.run(STATE)
                assert state["figure"] == f"{figure}-title", (name, figure, key)
                assert state["stops"] == 1
                assert plain(state["tip"]) == plain(state["label"])
                texts.append(state["label"])
            start, right, _, last, beyond, before, home, above = texts
            assert start == home == above
            assert last == beyond != before
            assert right != start
            told.add(figure)
    assert told == {
        "trade-off", "budget-ratios", "axis-effects", "importances", "anatomy", "sharing-maps", "sharing-shapes",
        "learning", "costs", "weight-changes", "spread", "saturation", "convergence", "ratios",
    }  # fmt: skip


def test_escape_leaves_and_tab_goes_on(page, files):
    page.open(files["mnist"])
    enter(page, "trade-off")
    page.press("ArrowRight", "Escape")
    assert page.run(STATE) == {"label": None, "tip": None}
    page.press("Tab")
    assert page.run("done(document.activeElement.textContent)") == "Family", "the head of the table below it"
    page.press("Shift+Tab")
    assert page.run(STATE)["figure"] == "trade-off-title"
    assert page.run(STATE)["tip"]
    page.press("Tab")
    assert page.run(STATE)["tip"] is None


def test_arrow_keys_across_series_keep_their_place(page, files):
    page.open(files["cells"])
    enter(page, "learning")
    page.press("ArrowRight")
    first = page.run(STATE)["label"]
    page.press("ArrowDown")
    second = page.run(STATE)["label"]
    assert first.partition(", step ")[2][:5] == second.partition(", step ")[2][:5] == "8,000"
    assert first != second


def test_pointer(page, files):
    page.open(files["nets"])
    where = """
    const marks = [...document.querySelectorAll('svg[aria-labelledby="FIGURE-title"] .points > *')];
    marks[AT].scrollIntoView({block: "center"});
    const box = marks[AT].getBoundingClientRect();
    done([box.x + box.width / 2, box.y + box.height / 2, marks[AT].getAttribute("aria-label")])"""
    for figure, at in (("anatomy", 1), ("learning", 0), ("trade-off", 2)):
        if figure == "learning":
            page.open(files["cells"])
        x, y, label = page.run(where.replace("FIGURE", figure).replace("AT", str(at)))
        page.point(x + 2, y + 2)
        assert plain(page.run(SAID)) == plain(label)
        page.press("Escape")
        assert page.run(SAID) is None, "without going away"
        page.point(x + 1, y + 1)
        assert page.run(SAID)
        page.point(2, 2)
        assert page.run(SAID) is None


def table(page, number):
    return page.run(TABLE.replace("NUMBER", str(number)))


def press_head(page, number, head):
    """Sort by the heading, by keys."""
    focus(page, f"[...document.querySelectorAll('main table.sortable')[{number}].tHead.rows[0].cells].find("
                f"(cell) => cell.textContent === {json.dumps(head)}).querySelector('button')")  # fmt: skip
    page.press("Enter")
    return table(page, number)


def numbers(rows, column):
    found = [re.search(r"[\d.]+", row[column].replace(",", "")) for row in rows]
    return [None if each is None else float(each.group()) for each in found]


def test_a_table_sorts_by_keys(page, files):
    page.open(files["mnist"], dark=True)
    assert page.run("done(matchMedia('(prefers-color-scheme: dark)').matches)")
    at = table(page, 0)["heads"].index("Parameters")
    rising = press_head(page, 0, "Parameters")
    assert rising["sorted"][at] == "ascending"
    assert rising["status"] == "Sorted by Parameters, ascending."
    assert rising["focus"] == "Parameters", "it stays where it was"
    assert numbers(rising["groups"][0], at) == sorted(numbers(rising["groups"][0], at))
    falling = press_head(page, 0, "Parameters")
    assert falling["sorted"][at] == "descending"
    assert falling["status"] == "Sorted by Parameters, descending."
    assert falling["groups"][0] == rising["groups"][0][::-1]
    family = press_head(page, 0, "Family")
    assert family["sorted"].count(None) == len(family["sorted"]) - 1
    assert [row[0] for row in family["groups"][0]] == sorted(row[0] for row in family["groups"][0])


def test_a_table_of_groups_sorts_within_each(page, files):
    page.open(files["demo"])
    number = page.run("done([...document.querySelectorAll('main table.sortable')].findIndex("
                      "(table) => table.classList.contains('groups')))")  # fmt: skip
    before = table(page, number)
    assert len(before["groups"]) > 1
    assert max(map(len, before["groups"])) > 2
    budgets = [[row[0] for row in group] for group in before["groups"]]
    assert all(len(set(group)) == 1 for group in budgets)
    at = before["heads"].index("Parameters")
    for order in ("ascending", "descending"):
        found = press_head(page, number, "Parameters")
        assert found["sorted"][at] == order
        assert found["status"] == f"Sorted by Parameters, {order}, within each budget."
        assert [[row[0] for row in group] for group in found["groups"]] == budgets, "groups keep their place"
        for group, old in zip(found["groups"], before["groups"], strict=True):
            assert numbers(group, at) == sorted(numbers(group, at), reverse=order == "descending")
            assert sorted(group) == sorted(old)
        assert all(shown == ["1", *["0"] * (len(shown) - 1)] for shown in found["seen"]), "a budget is seen once"
    rising = press_head(page, number, "Budget")
    assert rising["status"] == "Sorted by Budget, ascending."
    falling = press_head(page, number, "Budget")
    assert falling["sorted"][0] == "descending"
    assert falling["groups"] == rising["groups"][::-1]
    assert [group[0][0] for group in falling["groups"]] == [group[0] for group in budgets][::-1]


def test_what_is_missing_comes_last_in_either_order(page, files):
    page.open(files["demo"])
    number = page.run("done([...document.querySelectorAll('main table.sortable')].findIndex("
                      "(table) => /needs|Validation/.test(table.tHead.rows[0].cells[0].textContent)))")  # fmt: skip
    heads = table(page, number)["heads"]
    head = next(each for each in heads if each.startswith("Over the"))
    at = heads.index(head)
    orders = []
    for _ in range(2):
        groups = press_head(page, number, head)["groups"]
        orders.append([numbers(group, at) for group in groups])
        for values in orders[-1]:
            known = [value for value in values if value is not None]
            assert values == known + [None] * (len(values) - len(known))
    assert any(None in values and len(values) > 2 for values in orders[0])
    assert orders[0] != orders[1]


def test_every_table_of_data_sorts(page, files):
    for path in files.values():
        page.open(path)
        assert page.run("done([...document.querySelectorAll('main table')].filter("
                        "(table) => !table.querySelector('thead button')).length)") == 0  # fmt: skip


def test_download(page, files):
    page.open(files["mnist"])
    same, lines = page.run("""
    const link = document.querySelector("a[download]"), before = link.href;
    link.addEventListener("click", (event) => event.preventDefault());
    link.click();
    fetch(link.href).then((answer) => answer.text()).then((text) => done([
      text === new TextDecoder().decode(Uint8Array.from(atob(before.split(",")[1]), (c) => c.charCodeAt(0))),
      text.trim().split("\\n").length]));""")
    assert same
    assert lines == 34


def test_a_narrow_page_scrolls_only_in_its_boxes(page, files):
    for path in files.values():
        page.open(path, width=400)
        assert page.run("done(document.documentElement.scrollWidth)") <= 400
        page.run("document.querySelectorAll('th button').forEach((button) => button.click()); done(null)")
        assert page.run("done(document.documentElement.scrollWidth)") <= 400
