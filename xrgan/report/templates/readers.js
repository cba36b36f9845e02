"use strict";
const find = (selector) => document.querySelector(selector);
const films = [...document.querySelectorAll(".film img")];
const form = find("form"), next = find("#next");
const questions = [...new Set([...form.elements].map((one) => one.name).filter(Boolean))];
const study = document.body.dataset.study, place = `xrgan-readers-${study}`;
let state = { reader: "", now: 0, answers: {} };
let since = Date.now();

// What was answered survives closing the page, where the browser allows it.
const keep = () => {
  try { localStorage.setItem(place, JSON.stringify(state)); } catch { find("#kept").textContent = "This browser keeps nothing: don't close the page."; }
};
try { state = JSON.parse(localStorage.getItem(place)) || state; } catch { /* nothing was kept */ }

const show = (id) => ["start", "reading", "end"].forEach((one) => { find(`#${one}`).hidden = one !== id; });
const answered = () => Object.keys(state.answers).length;
const isWhole = () => questions.every((name) => form.elements[name].value);

const look = (k) => {
  state.now = k;
  films.forEach((film, n) => { film.hidden = n !== k; });
  form.reset();
  for (const name of questions) {
    const given = (state.answers[k + 1] || {})[name];
    for (const one of form.elements[name]) one.checked = one.value === given;
  }
  find("#now").textContent = k + 1;
  find("#progress").value = answered();
  find("#back").disabled = k === 0;
  next.disabled = !isWhole();
  since = Date.now();
  show("reading");
  keep();
};

const goOn = () => {
  if (!isWhole()) return;
  const before = state.answers[state.now + 1] || { seconds: 0 };
  const answer = { seconds: before.seconds + Math.round((Date.now() - since) / 100) / 10 };
  for (const name of questions) answer[name] = form.elements[name].value;
  state.answers[state.now + 1] = answer;
  keep();
  const open = films.findIndex((_, k) => k > state.now && !state.answers[k + 1]);
  const first = films.findIndex((_, k) => !state.answers[k + 1]);
  if (open >= 0 || first >= 0) look(open >= 0 ? open : first);
  else show("end");
};

const quoted = (text) => `"${String(text).replaceAll('"', '""').replace(/[\r\n]+/g, " ")}"`;
const asCsv = () => {
  const rows = Object.entries(state.answers).map(([image, one]) =>
    [study, state.reader, image, one.answer, one.sure, one.class || "", one.seconds].map(quoted).join(","));
  return ["study,reader,image,answer,sure,class,seconds", ...rows].join("\r\n") + "\r\n";
};
const save = () => {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([asCsv()], { type: "text/csv" }));
  link.download = `answers-${state.reader.replace(/[^\p{L}\p{N}]+/gu, "-") || "reader"}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
};

form.addEventListener("input", () => { next.disabled = !isWhole(); });
form.addEventListener("submit", (event) => { event.preventDefault(); goOn(); });
find("#back").addEventListener("click", () => look(Math.max(0, state.now - 1)));
find("#again").addEventListener("click", () => look(0));
document.querySelectorAll(".save").forEach((button) => button.addEventListener("click", save));

const begin = () => {
  state.reader = find("#reader").value.trim();
  if (!state.reader) { find("#reader").focus(); return; }
  const open = films.findIndex((_, k) => !state.answers[k + 1]);
  if (open < 0) show("end"); else look(open);
};
find("#begin").addEventListener("click", begin);
find("#reader").addEventListener("keydown", (event) => { if (event.key === "Enter") begin(); });
find("#reader").value = state.reader;
if (answered()) {
  find("#kept").textContent = `${answered()} of ${films.length} images are answered already: go on where you stopped.`;
  find("#begin").textContent = "Go on";
}
find("#kept").hidden = !find("#kept").textContent;

document.addEventListener("keydown", (event) => {
  if (find("#reading").hidden || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key.toLowerCase(), choice = { r: "real", s: "synthetic" }[key];
  const chosen = choice ? `[name=answer][value=${choice}]` : /^[1-5]$/.test(key) ? `[name=sure][value="${key}"]` : "";
  if (chosen) {
    find(chosen).checked = true;
    next.disabled = !isWhole();
  } else if (event.key === "Enter" && event.target.tagName !== "BUTTON") {
    event.preventDefault();
    goOn();
  } else if (event.key === "ArrowLeft" && event.target.type !== "radio") {
    look(Math.max(0, state.now - 1));
  }
});
