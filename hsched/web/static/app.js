// Draws what the server sends. Everything that a job is called is set as text, never as HTML.

import { ask, events, pieces } from "./stream.js";

const MOST_LOG = 500_000;
const ARMED_MS = 4000;
const LEAST_REST_MS = 2000;

const at = (id) => document.getElementById(id);
let state = null;
let armed = "";

/** Returns a new element with a class and text or children in it. */
function make(kind, className = "", content = []) {
  const element = document.createElement(kind);
  if (className) element.className = className;
  element.append(...[content].flat());
  return element;
}

function say(id, text) {
  at(id).textContent = text;
  at(id).hidden = !text;
}

// Slots

const colour = (id) => `k${parseInt(id, 10) % 8}`;

function amount(resource, value) {
  if (resource.numbered) return String(value);
  for (const [unit, suffix] of [[2 ** 40, "T"], [2 ** 30, "G"], [2 ** 20, "M"], [2 ** 10, "K"]]) {
    if (resource.unit % unit === 0) return `${+(value / unit).toFixed(1)}${suffix}`;
  }
  return String(value);
}

function cell(resource, slot, jobs) {
  const drained = resource.drained.includes(slot);
  const kind = `slot ${jobs.length ? colour(jobs[0]) : "free"}${drained ? " drained" : ""}`;
  const label = jobs.length > 2 ? `${jobs[0]} +${jobs.length - 1}` : jobs.join(" ");
  const element = make("span", kind, [make("small", "", String(slot)), label]);
  const who = jobs.length ? `job ${jobs.join(", ")}` : "free";
  element.title = `${resource.name} ${slot}: ${who}${drained ? ", drained" : ""}`;
  return element;
}

function meter(resource) {
  const held = make("div", "held");
  held.style.width = `${(100 * Math.min(resource.used, resource.total)) / Math.max(1, resource.total)}%`;
  return make("div", "meter", [held]);
}

function drawSlots() {
  at("slots").replaceChildren(...state.resources.filter((one) => one.total).map((one) => {
    const told = `${amount(one, one.used)} of ${amount(one, one.total)}`;
    const head = make("div", "resource", [make("b", "", one.name), ` ${told}`]);
    const asCells = one.numbered && one.name !== "mem" && one.total <= 128;
    const holders = state.holders[one.name] ?? {};
    const body = asCells
      ? Array.from({ length: one.total }, (_, slot) => cell(one, slot, holders[slot] ?? []))
      : [meter(one)];
    return make("div", "row", [head, make("div", "cells", body)]);
  }));
}

function drawDevices() {
  at("gpus").hidden = !state.devices.length;
  const gib = (bytes) => (bytes === null ? "?" : `${(bytes / 2 ** 30).toFixed(1)} GiB`);
  at("devices").replaceChildren(...state.devices.map((one) => make("tr", "", [
    make("td", "", `${one.slot}${one.drained ? " (drained)" : ""}`),
    make("td", "", one.name),
    make("td", "", `${gib(one.claimed)} of ${gib(one.memory)}`),
    make("td", "", one.jobs.join(", ") || "–"),
  ])));
}

// Jobs

async function act(id, verb) {
  try {
    await ask(`api/jobs/${encodeURIComponent(id)}/${verb}`, { method: "POST" });
    say("message", "");
  } catch (error) {
    say("message", `${verb} ${id}: ${error.message}`);
  }
}

function button(job, verb, label, action) {
  const element = make("button", verb, label);
  element.type = "button";
  element.dataset.key = `${verb} ${job.id}`;
  element.setAttribute("aria-label", `${label} job ${job.id}`);
  element.addEventListener("click", action);
  return element;
}

/** To end a job takes a second click: the first one asks. */
function killer(job) {
  const isArmed = armed === job.id;
  return button(job, "kill", isArmed ? "really?" : "kill", () => {
    if (armed === job.id) {
      armed = "";
      act(job.id, "kill");
    } else {
      armed = job.id;
      setTimeout(() => { if (armed === job.id) { armed = ""; drawJobs(); } }, ARMED_MS);
    }
    drawJobs();
  });
}

function buttons(job) {
  const found = [button(job, "log", "log", () => openLog(job.id, false))];
  if (job.state === "done") return found;
  if (job.word === "held") found.push(button(job, "release", "release", () => act(job.id, "release")));
  else if (job.state === "pending") found.push(button(job, "hold", "hold", () => act(job.id, "hold")));
  return [...found, killer(job)];
}

function line(job) {
  const what = make("td", "what", [make("b", "", job.name), " ", make("code", "", job.command)]);
  what.title = job.command;
  if (job.reason) what.append(make("div", "reason", job.reason));
  const since = job.started ? new Date(job.started * 1000).toLocaleTimeString() : "";
  const row = make("tr", job.state, [
    make("td", "", job.id),
    make("td", "", job.word),
    make("td", "", job.slots),
    make("td", "", since),
    what,
    make("td", "do", buttons(job)),
  ]);
  row.dataset.job = job.id;
  return row;
}

function drawJobs() {
  const key = document.activeElement?.dataset?.key;
  at("jobs").replaceChildren(...state.jobs.map(line));
  if (key) at("jobs").querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus();
  say("more", state.more > 0 ? `and ${state.more.toLocaleString()} more` : "");
}

// The log of one job

let reading = null;

async function openLog(id, err) {
  reading?.abort();
  const mine = new AbortController();
  reading = mine;
  const text = at("log-text");
  at("log").hidden = false;
  at("log").dataset.job = id;
  at("log-title").textContent = `Job ${id}: standard ${err ? "error" : "output"}`;
  text.textContent = "";
  try {
    const path = `api/jobs/${encodeURIComponent(id)}/log?err=${err ? 1 : 0}`;
    const response = await ask(path, { signal: mine.signal });
    await pieces(response, (piece) => {
      const atEnd = text.scrollTop + text.clientHeight >= text.scrollHeight - 4;
      text.append(piece);
      if (text.textContent.length > MOST_LOG) text.textContent = text.textContent.slice(-MOST_LOG / 2);
      if (atEnd) text.scrollTop = text.scrollHeight;
    });
  } catch (error) {
    if (!mine.signal.aborted) text.append(`\n[${error.message}]\n`);
  }
}

at("log-out").addEventListener("click", () => openLog(at("log").dataset.job, false));
at("log-err").addEventListener("click", () => openLog(at("log").dataset.job, true));
at("log-close").addEventListener("click", () => { reading?.abort(); at("log").hidden = true; });

// The timeline: asked for again after a change, while somebody looks, with a rest in between

let isStale = true;
let isDrawing = false;

async function drawTimeline() {
  isStale = true;
  if (isDrawing || !at("past").open || document.hidden) return;
  isDrawing = true;
  if (!at("timeline").firstChild) at("timeline").textContent = "reading the history\u2026";
  while (isStale && at("past").open) {
    isStale = false;
    const begun = performance.now();
    try {
      const response = await ask(`api/timeline?last=${encodeURIComponent(at("last").value)}`);
      const picture = new DOMParser().parseFromString(await response.text(), "image/svg+xml");
      at("timeline").replaceChildren(document.importNode(picture.documentElement, true));
    } catch (error) {
      at("timeline").textContent = error.message;
    }
    const rest = Math.max(LEAST_REST_MS, 10 * (performance.now() - begun));
    await new Promise((resolve) => { setTimeout(resolve, rest); });
  }
  isDrawing = false;
}

at("past").addEventListener("toggle", drawTimeline);
at("last").addEventListener("change", drawTimeline);
document.addEventListener("visibilitychange", drawTimeline);

// All of it

function draw(found) {
  state = found;
  const name = `scheduler ${state.scheduler} on ${state.host}`;
  document.title = `hsched: ${state.scheduler}`;
  at("title").textContent = name;
  const { running = 0, pending = 0 } = state.counts;
  at("counts").textContent = state.trouble
    ? "" : `${running} running, ${pending} pending${state.stopping ? "; it is stopping" : ""}`;
  say("trouble", state.trouble);
  drawSlots();
  drawDevices();
  drawJobs();
  drawTimeline();
}

events("api/events", draw, (error) => say("trouble", error.message));
