"use strict";

function make(tag, attributes = {}) {
  return Object.assign(document.createElement(tag), attributes);
}

// Figures say what their marks stand for: that nearest to the pointer, or that which the arrow keys are on.
// Each figure is one stop of the Tab key; its marks are in data-points.
const tip = make("div", { className: "tip", hidden: true });
tip.setAttribute("aria-hidden", "true"); // a screen reader says the mark's own label
const keys = make("p", {
  id: "keys", hidden: true,
  textContent: "Left and right arrow keys go from mark to mark, up and down to another series, Escape leaves.",
});
document.body.append(tip, keys);

const SVG = "http://www.w3.org/2000/svg";
const NEAR = 14; // pixels
let shown = null;

function show(mark, arrived = false) {
  if (shown !== mark) shown?.classList.remove("shown");
  shown = mark;
  tip.hidden = !mark;
  if (!mark) return;
  mark.classList.add("shown");
  tip.replaceChildren(...subscripts(mark.getAttribute("aria-label")));
  if (arrived) tip.append(make("small", { textContent: "← → along, ↑ ↓ across, Esc leaves" }));
  const box = mark.getBoundingClientRect();
  const left = box.left + box.width / 2 - tip.offsetWidth / 2;
  const most = document.documentElement.clientWidth - tip.offsetWidth - 8;
  const above = box.top - tip.offsetHeight - 8;
  tip.style.left = `${window.scrollX + Math.max(8, Math.min(left, most))}px`;
  tip.style.top = `${window.scrollY + (above > 0 ? above : box.bottom + 8)}px`;
}

function subscripts(text) { // N_z with its z below the line
  return text.split(/(?<=\b[NdW])_([a-z])\b/).map((part, at) => (at % 2 ? make("sub", { textContent: part }) : part));
}

function draw(figure) { // its marks, series by series
  const layer = document.createElementNS(SVG, "g");
  layer.setAttribute("class", "points");
  const series = JSON.parse(figure.dataset.points).map(([start, ...points], row) =>
    points.map(([x, y, text, width, height]) => {
      const point = width === undefined;
      const mark = document.createElementNS(SVG, point ? "circle" : "rect");
      const shape = point ? { cx: x, cy: y, r: 5.5 } : { x, y, width: Math.max(width, 1), height: Math.max(height, 1) };
      const said = { role: "img", tabindex: -1, "aria-label": start + text };
      for (const [key, value] of Object.entries({ ...shape, ...said })) mark.setAttribute(key, value);
      layer.append(mark);
      return { mark, x, y, width: width ?? 0, height: height ?? 0, row };
    }),
  );
  figure.append(layer);
  return series;
}

for (const figure of document.querySelectorAll("svg[data-points]")) {
  const series = draw(figure);
  const places = series.flat();
  const [title, description] = figure.getAttribute("aria-labelledby").split(" ");
  figure.setAttribute("role", "group"); // an image has no parts
  figure.setAttribute("aria-labelledby", title);
  figure.setAttribute("aria-describedby", `${description} keys`);
  let current = places[0];
  current.mark.setAttribute("tabindex", "0");

  function moveTo(place) {
    current.mark.setAttribute("tabindex", "-1");
    current = place;
    current.mark.setAttribute("tabindex", "0");
    current.mark.focus();
    show(current.mark);
  }

  function across(step) { // of another series what is above or below
    const { x, width, y } = current;
    const far = (place) => 1000 * Math.abs(place.x + place.width / 2 - x - width / 2) + Math.abs(place.y - y);
    return series[current.row + step]?.reduce((one, other) => (far(other) < far(one) ? other : one));
  }

  figure.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const at = places.indexOf(current);
    const to = {
      ArrowRight: () => places[at + 1], ArrowLeft: () => places[at - 1], ArrowDown: () => across(1),
      ArrowUp: () => across(-1), Home: () => places[0], End: () => places.at(-1),
    }[event.key];
    if (!to) return;
    event.preventDefault();
    moveTo(to() ?? current);
  });
  // Not on the figure: an SVG that listens to the focus gets it, and would be a stop of its own.
  const box = figure.parentElement;
  box.addEventListener("focusin", (event) => figure.contains(event.target) && show(event.target, true));
  box.addEventListener("focusout", () => show(null));
  figure.addEventListener("pointermove", (event) => {
    const scale = figure.getScreenCTM();
    const { x, y } = new DOMPoint(event.clientX, event.clientY).matrixTransform(scale.inverse());
    let nearest = null;
    let least = NEAR / scale.a;
    for (const place of places) {
      const [right, below] = [x - place.x - place.width, y - place.y - place.height];
      const distance = Math.hypot(Math.max(place.x - x, 0, right), Math.max(place.y - y, 0, below));
      if (distance < least) [nearest, least] = [place.mark, distance];
    }
    show(nearest);
  });
  figure.addEventListener("pointerleave", () => show(null));
  figure.addEventListener("click", () => shown && moveTo(places.find(({ mark }) => mark === shown)));
}

addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !shown) return;
  if (shown === document.activeElement) shown.blur();
  show(null);
});

// Tables that sort by the column whose heading is pressed. A table of groups has several bodies, whose first column
// names them: it puts the groups in order, any other one the rows of each group.
const UNITS = { s: 1, min: 60, h: 3600, k: 1e3, M: 1e6, G: 1e9, T: 1e12, P: 1e15, E: 1e18 };
const status = make("p", { className: "said", role: "status" });
document.body.append(status);

function number(text) {
  const found = text.replaceAll(",", "").match(/(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*(\w+)?/);
  return found ? Number(found[1]) * (UNITS[found[2]] ?? 1) : NaN;
}

function compare(a, b, numeric, falling) {
  const [one, other] = numeric ? [number(a), number(b)] : [a, b];
  const missing = (value) => value === "" || Number.isNaN(value);
  if (missing(one) || missing(other)) return missing(one) - missing(other); // last in either order
  const order = numeric ? one - other : one.localeCompare(other, "en", { numeric: true });
  return falling ? -order : order;
}

for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const bodies = [...table.tBodies];
  const grouped = table.classList.contains("groups");
  const name = (head) => head.innerText.trim().replace(/\s+/g, " ");
  let column = 0;
  for (const head of heads) {
    const at = column;
    column += head.colSpan;
    const button = make("button", { type: "button" });
    button.append(...head.childNodes);
    head.append(button);
    const numeric = head.classList.contains("number");
    button.addEventListener("click", () => {
      const falling = head.getAttribute("aria-sort") === "ascending";
      for (const each of heads) each.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", falling ? "descending" : "ascending");
      const value = (row) => row.cells[at].textContent.trim();
      const order = (one, other) => compare(value(one), value(other), numeric, falling);
      if (grouped && at === 0) table.append(...bodies.sort((one, other) => order(one.rows[0], other.rows[0])));
      else for (const body of bodies) body.append(...[...body.rows].sort(order));
      const within = grouped && at > 0 ? `, within each ${name(heads[0]).toLowerCase()}` : "";
      status.textContent = `Sorted by ${name(head)}, ${falling ? "descending" : "ascending"}${within}.`;
    });
  }
}

// What scrolls does so by the keyboard, too.
function reach() {
  for (const box of document.querySelectorAll(".table, .plot, pre")) {
    const scrolls = box.scrollWidth > box.clientWidth;
    const own = box.querySelector("caption, title") ?? box.previousElementSibling;
    const name = `${box.closest("section")?.querySelector("h2").textContent}: ${own?.textContent}`; // tasks have the same
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
