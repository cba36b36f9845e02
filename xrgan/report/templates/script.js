"use strict";
const all = (selector, root = document) => [...root.querySelectorAll(selector)];

// Figures: the values at the point that is nearest to the pointer, or chosen by arrow keys.
for (const figure of all("figure[data-chart]")) {
  const { x, points } = JSON.parse(figure.dataset.chart);
  const svg = figure.querySelector("svg[role=img]"), cross = figure.querySelector(".cross"), readout = figure.querySelector("output");
  let current = -1;
  const show = (k) => {
    current = Math.max(0, Math.min(points.length - 1, k));
    const point = points[current];
    cross.setAttribute("x1", point.at);
    cross.setAttribute("x2", point.at);
    cross.removeAttribute("visibility");
    readout.textContent = `${x} ${point.x} · ` + point.y.map(([name, value]) => `${name} ${value}`).join(" · ");
  };
  svg.addEventListener("pointermove", (event) => {
    const box = svg.getBoundingClientRect();
    const at = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
    const up = ((event.clientY - box.top) / box.height) * svg.viewBox.baseVal.height;
    const far = (point) => Math.abs(point.at - at) + 0.01 * Math.min(...point.y.map((one) => Math.abs(one[2] - up)));
    show(points.reduce((best, point, k) => (far(point) < far(points[best]) ? k : best), 0));
  });
  figure.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step || event.target.closest("summary")) return;
    event.preventDefault();
    show(current + step);
  });
}

// Grids over the training.
for (const slides of all(".slides")) {
  const images = all("img", slides), input = slides.querySelector("input"), output = slides.querySelector("output");
  if (!input) continue;
  input.addEventListener("input", () => {
    images.forEach((image, k) => { image.hidden = k !== input.valueAsNumber; });
    output.textContent = images[input.valueAsNumber].dataset.caption;
    input.setAttribute("aria-valuetext", output.textContent);
  });
}

// Tables: a click on a column's head sorts by it. What is no number stands behind all numbers.
const figureIn = (cell) => {
  const text = cell.textContent.trim().replace(/−/g, "-").replace(/[,<]/g, "").trim();
  return /^[-+]?\.?\d/.test(text) ? parseFloat(text) : NaN;
};
const compare = (a, b) => {
  const [x, y] = [figureIn(a), figureIn(b)];
  if (isNaN(x) !== isNaN(y)) return isNaN(x) ? 1 : -1;
  return isNaN(x) ? a.textContent.trim().localeCompare(b.textContent.trim()) : x - y;
};
for (const button of all("th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th"), table = button.closest("table"), column = head.cellIndex;
    const down = head.getAttribute("aria-sort") === "ascending";
    all("th[aria-sort]", table).forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const rows = [...table.tBodies[0].rows].sort((a, b) => compare(a.cells[column], b.cells[column]));
    table.tBodies[0].append(...(down ? rows.reverse() : rows));
  });
}

// Pictures: a click enlarges one; arrow keys go to its neighbours.
const dialog = document.querySelector("dialog");
if (dialog) {
  const thumbs = all(".gallery button"), large = dialog.querySelector("img"), caption = dialog.querySelector("p");
  let shown = 0;
  const enlarge = (k) => {
    shown = (k + thumbs.length) % thumbs.length;
    const small = thumbs[shown].querySelector("img");
    large.src = small.src;
    large.alt = small.alt;
    caption.textContent = small.alt;
  };
  thumbs.forEach((thumb, k) => thumb.addEventListener("click", () => { enlarge(k); dialog.showModal(); }));
  dialog.querySelector(".previous").addEventListener("click", () => enlarge(shown - 1));
  dialog.querySelector(".next").addEventListener("click", () => enlarge(shown + 1));
  dialog.querySelector(".close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) enlarge(shown + step);
  });
  dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
  dialog.addEventListener("close", () => thumbs[shown].focus());
}

// On paper nothing is folded.
let folded = [];
addEventListener("beforeprint", () => { folded = all("details:not([open])"); folded.forEach((one) => { one.open = true; }); });
addEventListener("afterprint", () => folded.forEach((one) => { one.open = false; }));
