"use strict";
// Keyboard shortcuts. Every page also works without this script.
const rows = () => [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
const typing = (target) => target.matches("input:not([type=checkbox],[type=radio]), textarea, select");
const moveFocus = (step) => {
  const all = rows();
  const at = all.indexOf(document.activeElement);
  const next = all[at < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(Math.max(at + step, 0), all.length - 1)];
  if (next) { next.focus(); next.scrollIntoView({ block: "nearest" }); }
};
const focusOn = (selector) => {
  const target = document.querySelector(selector);
  if (target) { target.closest("details")?.setAttribute("open", ""); target.focus(); target.scrollIntoView({ block: "center" }); }
  return Boolean(target);
};
const keys = {
  j: () => moveFocus(1),
  k: () => moveFocus(-1),
  a: () => focusOn("[data-key=approve]"),
  r: () => focusOn("[data-key=refuse]"),
  e: () => focusOn("[data-key=end]"),
  q: () => focusOn("[data-key=ask]"),
  "/": () => focusOn("[data-search]"),
  "?": () => { const help = document.querySelector("[data-help]"); if (help) location.href = help.href; },
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && typing(event.target)) { event.target.blur(); return; }
  if (typing(event.target) || !keys[event.key]) return;
  event.preventDefault();
  keys[event.key]();
});
// Parts of a page that show running orders are reloaded every five seconds while the page is visible.
const live = document.querySelector("[data-live]");
if (live) setInterval(async () => {
  if (document.hidden || live.contains(document.activeElement)) return;
  const response = await fetch(location.href, { redirect: "error" }).catch(() => null);
  if (!response || !response.ok) return;
  const page = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("[data-live]");
  if (page) live.replaceChildren(...page.childNodes);
}, 5000);
