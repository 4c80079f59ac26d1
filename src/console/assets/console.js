// Keeps a page up to date from its live line: figures in tables, bars, tiles and on the map. Nothing here decides or counts
// anything that the server has not told; without this script every page still shows the figures of its own moment.
"use strict";

// The places of a village's seven counts, and the order in which shares are drawn.
const HOME = 0;
const SHARES = [["confirmed", 1], ["delivered", 2], ["played", 3], ["pending", 6], ["unknown", 5], ["missed", 4]];
const SVG = "http://www.w3.org/2000/svg";

const villages = new Map();

// How much of a 12-digit code names the region: province, city, county, town, village.
function stem(region) {
  for (const digits of [2, 4, 6, 9]) if (/^0*$/.test(region.slice(digits))) return region.slice(0, digits);
  return region;
}

function covers(region, village) {
  return village.startsWith(stem(region));
}

function sum(region) {
  const total = [0, 0, 0, 0, 0, 0, 0];
  for (const [code, counts] of villages) {
    if (covers(region, code)) counts.forEach((count, at) => { total[at] += count; });
  }
  return total;
}

const reached = (counts) => counts[1] + counts[2] + counts[3];

// Never rounded up to 100 and never down to 0 where there is somebody.
function percent(part, whole) {
  if (whole === 0) return "–";
  const tenths = Math.max(Math.floor((part * 1000) / whole), part > 0 ? 1 : 0);
  return `${Math.floor(tenths / 10)}.${tenths % 10}%`;
}

function shape(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (attributes.class === "unknown") made.setAttribute("fill", "url(#hatch)");
  return made;
}

function drawBar(bar, counts) {
  const whole = Math.max(counts[HOME], 1);
  let before = 0;
  bar.querySelectorAll("rect").forEach((part) => part.remove());
  for (const [name, at] of SHARES) {
    const from = Math.floor((before * 240) / whole);
    before += counts[at];
    const to = Math.floor((before * 240) / whole);
    bar.append(shape("rect", { class: name, x: from, y: 0, width: to - from, height: 14 }));
  }
}

function drawDisc(disc, counts) {
  const radius = Number(disc.dataset.radius);
  const whole = Math.max(counts[HOME], 1);
  const point = (share) => [Math.sin(share * 2 * Math.PI) * radius, -Math.cos(share * 2 * Math.PI) * radius].map((n) => n.toFixed(1)).join(" ");
  disc.querySelectorAll("path, circle:not(.rim)").forEach((part) => part.remove());
  let from = 0;
  for (const [name, at] of SHARES) {
    const to = from + counts[at] / whole;
    if (counts[at] >= whole) disc.append(shape("circle", { class: name, r: radius }));
    else if (counts[at] > 0) {
      const large = to - from > 0.5 ? 1 : 0;
      disc.append(shape("path", { class: name, d: `M0 0L${point(from)}A${radius} ${radius} 0 ${large} 1 ${point(to)}Z` }));
    }
    from = to;
  }
}

function show() {
  for (const row of document.querySelectorAll("tr[data-region]")) {
    const counts = sum(row.dataset.region);
    row.querySelectorAll("[data-at]").forEach((cell) => { cell.textContent = counts[Number(cell.dataset.at)]; });
    row.querySelectorAll("[data-rate]").forEach((cell) => { cell.textContent = percent(reached(counts), counts[HOME]); });
    row.querySelectorAll("svg.bar").forEach((bar) => drawBar(bar, counts));
  }
  for (const tiles of document.querySelectorAll(".tiles[data-region]")) {
    const counts = sum(tiles.dataset.region);
    const values = { home: counts[0], reached: reached(counts), pending: counts[6], unknown: counts[5], missed: counts[4] };
    for (const tile of tiles.querySelectorAll("[data-tile]")) {
      const value = values[tile.dataset.tile];
      tile.querySelector("strong").textContent = value;
      if (tile.dataset.tile !== "home") tile.querySelector(".share").textContent = percent(value, counts[HOME]);
    }
  }
  for (const disc of document.querySelectorAll("a[data-village]")) {
    const counts = villages.get(disc.dataset.village);
    if (counts) drawDisc(disc, counts);
  }
}

function showChannels(channels) {
  const body = document.getElementById("channels");
  if (!body) return;
  for (const line of channels) {
    const row = [...body.rows].find((known) => known.dataset.channel === line.channel);
    // A channel that was not there when the page was read: the page is read anew.
    if (!row) { location.reload(); return; }
    const cells = [line.total, line.planned + line.due, line.handed, line.awaiting, line.reached, line.failed, line.expired, line.withdrawn, line.doubts];
    cells.forEach((value, at) => { row.cells[at + 1].textContent = value; });
  }
}

// What the server draws itself, as the curve and the silent villages, is asked for anew at most every three seconds.
let partsAsked = false;
function showParts() {
  if (partsAsked) return;
  partsAsked = true;
  setTimeout(async () => {
    partsAsked = false;
    for (const part of document.querySelectorAll("[data-from]")) {
      const answer = await fetch(part.dataset.from).catch(() => null);
      if (answer && answer.ok) part.innerHTML = await answer.text();
    }
  }, 3000);
}

function clock(utc) {
  const beijing = new Date(Date.parse(utc) + 8 * 3600 * 1000).toISOString();
  return `${beijing.slice(5, 10)} ${beijing.slice(11, 19)}`;
}

function hear(event) {
  const told = JSON.parse(event.data);
  if (event.type === "whole") villages.clear();
  for (const [code, counts] of Object.entries(told.villages)) villages.set(code, counts);
  // Groups of a village are not told one by one.
  if (event.type === "change" && document.querySelector("tr:not([data-region]) svg.bar")) { location.reload(); return; }
  show();
  showChannels(told.channels);
  showParts();
  const asOf = document.getElementById("as-of");
  asOf.textContent = clock(told.as_of);
  asOf.dateTime = told.as_of;
  const state = document.getElementById("state");
  if (state) state.textContent = told.state_zh;
}

function line(text, up) {
  const shown = document.getElementById("line");
  shown.textContent = text;
  shown.classList.toggle("up", up);
}

async function refreshList() {
  const list = document.getElementById("list");
  if (!list || document.hidden) return;
  const answer = await fetch(`/console/list${location.search}`).catch(() => null);
  if (!answer || !answer.ok) return;
  list.innerHTML = await answer.text();
  // The first warning of the night: its map is drawn by the server.
  if (!document.querySelector("main").dataset.alert && list.querySelector("ul.alerts li")) location.reload();
}

const live = document.body.dataset.live;
if (live) {
  const source = new EventSource(live);
  source.addEventListener("open", () => line("● 实时 live", true));
  // What is over, or a session that has ended, is not asked for again.
  source.addEventListener("error", () => line(source.readyState === EventSource.CLOSED ? "□ 不再更新 no longer live" : "○ 断开，正在重连 reconnecting", false));
  source.addEventListener("whole", hear);
  source.addEventListener("change", hear);
  // An answer may move no figure, nor what a platform holds; and silent villages are looked for by time alone.
  if (document.querySelector("[data-from]")) setInterval(() => { if (source.readyState === EventSource.OPEN) showParts(); }, 30000);
}
if (document.getElementById("list")) setInterval(refreshList, 3000);

// A recording goes as the file itself, with what it is for in the address.
const record = document.getElementById("record");
if (record) {
  record.addEventListener("submit", async (event) => {
    event.preventDefault();
    const told = document.getElementById("told");
    const file = document.getElementById("sound").files[0];
    const about = new FormData(record);
    about.delete("sound");
    told.textContent = "上传中 sending";
    const answer = await fetch(`${record.action}?${new URLSearchParams(about)}`, { method: "POST", body: file }).catch(() => null);
    if (answer && answer.ok) { location.reload(); return; }
    told.textContent = answer ? await answer.text() : "没有连上，请再试。 No connection; try again.";
  });
}
