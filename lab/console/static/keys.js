"use strict";
// Keys for those who work here all day. Everything works without them.
const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
const typing = (target) => target.matches("input:not([type=checkbox],[type=radio]), textarea, select");
const go = (step) => {
  const all = rows();
  const at = all.indexOf(document.activeElement);
  const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1)];
  if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
};
const to = (selector) => {
  const found = document.querySelector(selector);
  if (found) { found.closest("details")?.setAttribute("open", ""); found.focus(); found.scrollIntoView({ block: "center" }); }
  return Boolean(found);
};
const keys = {
  j: () => go(1),
  k: () => go(-1),
  a: () => to("[data-key=approve]"),
  r: () => to("[data-key=refuse]"),
  q: () => to("[data-key=ask]"),
  "/": () => to("[data-search]"),
  "?": () => { const help = document.querySelector("[data-help]"); if (help) location.href = help.href; },
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
  if (typing(event.target) || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});
// A part of the page that tells of running things is read again every few seconds while somebody looks at it.
const live = document.querySelector("[data-live]");
if (live) setInterval(async () => {
  if (document.hidden || live.contains(document.activeElement)) return;
  const answer = await fetch(location.href, { redirect: "error" }).catch(() => null);
  if (!answer || !answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-live]");
  if (page) live.replaceChildren(...page.childNodes);
}, 5000);
