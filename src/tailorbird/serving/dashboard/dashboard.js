// The owner's page. Everything that comes from the server is shown as text; the key is kept for this tab only.
"use strict";

const KEY = "tailorbird-dashboard-key";
const DAYS = { 1: "today", 7: "7 days", 30: "30 days", 365: "a year" };
const EVERY = 15000; // milliseconds between looks
const state = { days: 30, open: null, business: null };

/** An element with properties and children; a text child stays text. */
function make(name, props = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key in element && key !== "list") element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children.filter((one) => one !== null && one !== undefined));
  return element;
}

async function ask(path, body) {
  const headers = { "Content-Type": "application/json" };
  const key = sessionStorage.getItem(KEY);
  if (key) headers.Authorization = `Bearer ${key}`;
  const response = await fetch(path, body === undefined ? { headers } : { method: "POST", headers, body: JSON.stringify(body) });
  const told = await response.json().catch(() => ({}));
  if (!response.ok) throw Object.assign(new Error(told.error?.message ?? `The server answered ${response.status}.`), { status: response.status });
  return told;
}

const percent = (told) => (told ? `${Math.round(told.value * 100)}%` : "–");
const range = (told) => (told ? `${Math.round(told.low * 100)} to ${Math.round(told.high * 100)}%` : "nothing yet");
const seconds = (told) => (told ? `${told.median.toFixed(1)} s` : "–");

function tile(title, value, note) {
  return make("div", { className: "tile" }, title, make("strong", {}, value), make("span", { className: "quiet" }, note));
}

function tiles(told) {
  const { total, before } = told;
  const earlier = before ? `; ${percent(before)} before there was an assistant` : "";
  return make(
    "div", { className: "tiles" },
    tile("conversations", String(total.conversations), `${total.answers} answers`),
    tile("a person was needed", percent(total.escalated), range(total.escalated) + earlier),
    tile("thumbs up", percent(total.good), range(total.good)),
    tile("first word after", seconds(total.first_word), total.first_word ? `slowest: ${total.first_word.slow.toFixed(1)} s` : ""),
    tile("what it cost", total.cost === null ? "–" : `${total.cost.toPrecision(2)} ${told.currency}`, "of writing answers"),
    tile("answers broken off", percent(total.broken_off), range(total.broken_off)),
  );
}

/** Bars of conversations by day, the part in which a person was needed in another colour. */
function chart(days) {
  const rows = Object.entries(days);
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const shape = (name, attributes, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text) made.textContent = text;
    svg.append(made);
  };
  const most = Math.max(1, ...rows.map(([, one]) => one.conversations));
  const width = 600 / Math.max(rows.length, 7);
  svg.setAttribute("viewBox", "0 0 600 160");
  svg.setAttribute("role", "img");
  const handed = (one) => Math.round((one.escalated?.value ?? 0) * one.conversations);
  svg.setAttribute("aria-label", rows.map(([day, one]) => `${day}: ${one.conversations} conversations, ${handed(one)} with a person`).join("; "));
  rows.forEach(([day, one], number) => {
    const bar = (count, kind) => {
      const height = (count / most) * 125;
      shape("rect", { class: kind, x: number * width + 1, y: 135 - height, width: Math.max(width - 2, 1), height });
    };
    bar(one.conversations, "all");
    bar(handed(one), "handed");
    if (number % Math.ceil(rows.length / 8) === 0) shape("text", { x: number * width, y: 152 }, day.slice(5));
  });
  return svg;
}

function table(head, rows) {
  const cells = (kind, row) => make("tr", {}, ...row.map((one) => make(kind, kind === "th" ? { scope: "col" } : {}, one)));
  return make("div", { className: "scroll" }, make("table", {}, make("thead", {}, cells("th", head)), make("tbody", {}, ...rows.map((row) => cells("td", row)))));
}

function versions(told) {
  const rows = Object.entries(told.versions).map(([name, one]) => [
    name, String(one.conversations), `${percent(one.escalated)} (${range(one.escalated)})`, percent(one.good), seconds(one.first_word),
    (told.likely_worse[name] ?? 1) < 0.05 ? make("span", { className: "alarm" }, "needs a person more often than the others") : "",
  ]);
  return table(["version", "conversations", "a person was needed", "thumbs up", "first word", "note"], rows);
}

function unseen(told) {
  const alarm = (one) => ((one.likely_alike ?? 1) < 0.05 ? make("span", { className: "alarm" }, `hands over otherwise than ${one.against}`) : "");
  const rows = told.unseen.flatMap((one) => [[one.version, one.unseen, alarm(one)], [`${one.against}, as customers were answered`, one.customers, ""]].map(
    ([who, side, note]) => [who, String(one.answers), `${percent(side.handed_over)} (${range(side.handed_over)})`, percent(side.guarded), String(Math.round(side.words)), note],
  ));
  return rows.length ? [make("h2", {}, "Tried out unseen"), table(["", "messages", "a person takes over", "a guard fires", "words", "note"], rows)] : [];
}

const counted = (counts) => Object.entries(counts).map(([name, count]) => `${name} ${count}`).join(", ") || "none";

async function queue(waiting) {
  if (!waiting.length) return make("p", { className: "quiet" }, "Nobody waits for a person.");
  const rows = waiting.map((one) => [
    make("button", { onclick: () => show(one.id) }, one.state === "waiting" ? "Answer" : "Go on"),
    one.waiting_since ? new Date(one.waiting_since).toLocaleString() : "", one.department ?? "", one.reason ?? "", one.summary ?? "",
  ]);
  return table(["answer", "since", "department", "why", "what"], rows);
}

async function conversation(id) {
  const told = await ask(`/v1/hand-offs/${encodeURIComponent(id)}`);
  const names = { user: "Customer", assistant: "Assistant", person: "You" };
  const said = told.turns.map((one) => make("div", { className: `said ${one.role}` }, make("strong", {}, one.author ?? names[one.role]), `\n${one.text}`));
  const text = make("textarea", { rows: 3, "aria-label": "Your reply" });
  const author = make("input", { placeholder: "Your name", "aria-label": "Your name", value: sessionStorage.getItem(`${KEY}-name`) ?? "" });
  const act = (what) => async () => {
    await ask(`/v1/hand-offs/${encodeURIComponent(id)}/${what}`, {});
    show(null);
  };
  const send = async () => {
    if (!text.value.trim()) return;
    sessionStorage.setItem(`${KEY}-name`, author.value);
    await ask(`/v1/hand-offs/${encodeURIComponent(id)}/replies`, { text: text.value, author: author.value });
    show(id);
  };
  const buttons = make("div", { className: "row" }, author, make("button", { onclick: guarded(send) }, "Send"),
    make("button", { onclick: guarded(act("release")) }, "Give back to the assistant"), make("button", { onclick: guarded(act("close")) }, "Close"),
    make("button", { onclick: () => show(null) }, "Later"));
  return make("section", { className: "card" }, ...said, text, buttons);
}

const guarded = (work) => () => work().catch(complain);

function complain(problem) {
  document.getElementById("problem").textContent = problem.message;
  if (problem.status === 401 || problem.status === 403) login();
}

function login() {
  const field = make("input", { type: "password", autocomplete: "off", "aria-label": "Key", placeholder: "tb_…" });
  const go = (event) => {
    event.preventDefault();
    sessionStorage.setItem(KEY, field.value.trim());
    document.getElementById("problem").textContent = "";
    draw();
  };
  const hint = make("p", { className: "quiet" }, "A key of the role owner: tailorbird keys add NAME --role owner. It is kept for this tab only.");
  document.getElementById("main").replaceChildren(make("form", { className: "row", onsubmit: go }, field, make("button", {}, "Open")), hint);
  field.focus();
}

function show(id) {
  state.open = id;
  draw();
}

function controls(businesses) {
  const choose = (options, chosen, change, label) => make("select", { "aria-label": label, onchange: (event) => { change(event.target.value); draw(); } },
    ...options.map(([value, name]) => make("option", { value, selected: value === String(chosen) }, name)));
  const period = choose(Object.entries(DAYS), state.days, (value) => { state.days = value; }, "Period");
  const which = businesses.length > 1 ? choose(businesses.map((one) => [one, one]), state.business, (value) => { state.business = value; }, "Business") : null;
  document.getElementById("controls").replaceChildren(...[which, period].filter(Boolean));
}

async function draw() {
  try {
    const [figures, waiting] = await Promise.all([ask(`/v1/figures?days=${state.days}`), ask("/v1/hand-offs")]);
    const businesses = Object.keys(figures);
    state.business = businesses.includes(state.business) ? state.business : businesses[0];
    const told = figures[state.business];
    const open = state.open ? await conversation(state.open) : null;
    controls(businesses);
    document.getElementById("main").replaceChildren(
      tiles(told),
      make("h2", {}, "Waiting for a person"), open ?? (await queue(waiting.data.filter((one) => one.business === state.business))),
      make("h2", {}, "Day by day"), chart(told.days), make("p", { className: "quiet" }, "Conversations; coloured: a person was needed."),
      make("h2", {}, "Versions"), versions(told), ...unseen(told),
      make("h2", {}, "Guards that fired"), make("p", {}, counted(told.total.guards)),
      make("h2", {}, "Languages"), make("p", {}, counted(told.total.languages)),
    );
  } catch (problem) {
    complain(problem);
  }
}

draw();
setInterval(() => { if (!document.hidden && !state.open && !document.activeElement?.matches("input, textarea, select")) draw(); }, EVERY);
