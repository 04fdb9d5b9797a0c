"use strict";

// Marks that say what they are: the nearest one to the pointer, or the one that the arrow keys are on.
// Each figure is one stop of the Tab key.
const tip = document.createElement("div");
tip.className = "tip";
tip.setAttribute("aria-hidden", "true"); // a screen reader says the mark's own label
tip.hidden = true;
document.body.append(tip);

const NEAR = 14; // pixels
let shown = null;

function show(mark) {
  if (shown === mark) return;
  shown?.classList.remove("shown");
  shown = mark;
  tip.hidden = !mark;
  if (!mark) return;
  mark.classList.add("shown");
  tip.textContent = mark.getAttribute("aria-label");
  const box = mark.getBoundingClientRect();
  const left = box.left + box.width / 2 - tip.offsetWidth / 2;
  const most = document.documentElement.clientWidth - tip.offsetWidth - 8;
  const above = box.top - tip.offsetHeight - 8;
  tip.style.left = `${window.scrollX + Math.max(8, Math.min(left, most))}px`;
  tip.style.top = `${window.scrollY + (above > 0 ? above : box.bottom + 8)}px`;
}

for (const figure of document.querySelectorAll("figure svg")) {
  const marks = [...figure.querySelectorAll("use[aria-label]")];
  if (!marks.length) continue;
  const places = new Map(marks.map((mark) => [mark, [mark.x.baseVal.value, mark.y.baseVal.value]]));
  marks.sort((a, b) => places.get(a)[0] - places.get(b)[0] || places.get(a)[1] - places.get(b)[1]);
  figure.setAttribute("role", "group"); // an image has no parts
  for (const mark of marks) {
    mark.setAttribute("role", "img");
    mark.setAttribute("tabindex", "-1");
  }
  let current = marks[0];
  current.setAttribute("tabindex", "0");

  function moveTo(mark) {
    current.setAttribute("tabindex", "-1");
    current = mark;
    current.setAttribute("tabindex", "0");
    current.focus();
  }

  figure.addEventListener("keydown", (event) => {
    const at = marks.indexOf(current);
    const to = {
      ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: marks.length - 1,
    }[event.key];
    if (event.key === "Escape") show(null);
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    moveTo(marks[Math.max(0, Math.min(to, marks.length - 1))]);
  });
  figure.addEventListener("focusin", (event) => places.has(event.target) && show(event.target));
  figure.addEventListener("focusout", () => show(null));
  figure.addEventListener("pointermove", (event) => {
    const scale = figure.getScreenCTM();
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(scale.inverse());
    let nearest = null;
    let least = NEAR / scale.a;
    for (const [mark, [left, top]] of places) {
      const distance = Math.hypot(left - x, top - y);
      if (distance <= least) [nearest, least] = [mark, distance]; // of marks in one place the one on top, drawn last
    }
    show(nearest);
  });
  figure.addEventListener("pointerleave", () => show(null));
  figure.addEventListener("click", () => shown && moveTo(shown));
}

// Tables that sort by the column whose heading is pressed.
const UNITS = { s: 1, min: 60, h: 3600, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15 };

function number(text) {
  const found = text.replaceAll(",", "").match(/(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*(\w+)?/);
  return found ? Number(found[1]) * (UNITS[found[2]] ?? 1) : NaN;
}

function compare(a, b) {
  const [one, other] = [number(a), number(b)];
  if (Number.isNaN(one) || Number.isNaN(other)) return Number.isNaN(one) - Number.isNaN(other) || a.localeCompare(b);
  return one - other;
}

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  let column = 0;
  for (const head of heads) {
    const at = column;
    column += head.colSpan;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    const numeric = head.classList.contains("number");
    button.addEventListener("click", () => {
      const falling = head.getAttribute("aria-sort") === "ascending";
      for (const each of heads) each.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const value = (row) => row.cells[at].textContent.trim();
      const rows = [...body.rows].sort((a, b) => {
        const order = numeric ? compare(value(a), value(b)) : value(a).localeCompare(value(b), "en", { numeric: true });
        return falling ? -order : order;
      });
      body.append(...rows);
    });
  }
}

// What scrolls does so by the keyboard, too.
function reach() {
  for (const box of document.querySelectorAll(".table, .plot")) {
    const scrolls = box.scrollWidth > box.clientWidth;
    const name = box.querySelector("caption, title")?.textContent;
    for (const [key, value] of [["tabindex", "0"], ["role", "region"], ["aria-label", name]]) {
      if (scrolls) box.setAttribute(key, value);
      else box.removeAttribute(key);
    }
  }
}
addEventListener("resize", reach);
for (const details of document.querySelectorAll("details")) details.addEventListener("toggle", reach);
reach();

// A browser may refuse to save a long link; a file that is made of it, never.
for (const link of document.querySelectorAll("a[download]")) {
  link.addEventListener("click", () => {
    if (!link.href.startsWith("data:")) return;
    const bytes = Uint8Array.from(atob(link.href.split(",")[1]), (letter) => letter.charCodeAt(0));
    link.href = URL.createObjectURL(new Blob([bytes], { type: "text/csv;charset=utf-8" }));
  });
}
