// Renews the parts of the status page as the daemon tells of them. Everything on the page works without it.
"use strict";

const live = document.body.dataset.live;
const sign = document.querySelector(".live");

function show(part) {
  const element = document.getElementById(part.id);
  // Whoever is about to press something keeps what they aim at.
  if (!element || element.contains(document.activeElement) || element.matches(":active")) return;
  element.innerHTML = part.html;
}

function showVerdict(page) {
  document.title = page.title;
  const icon = document.querySelector("link[rel=icon]");
  const address = `/status/icon.svg?verdict=${page.verdict}`;
  if (icon.getAttribute("href") !== address) icon.setAttribute("href", address);
}

function say(text, isLost) {
  sign.hidden = false;
  sign.textContent = text;
  sign.classList.toggle("lost", isLost);
}

if (live && sign) {
  const events = new EventSource(live);
  events.addEventListener("open", () => say("live", false));
  events.addEventListener("error", () => say("not connected: what you see is old", true));
  events.addEventListener("part", (event) => show(JSON.parse(event.data)));
  events.addEventListener("page", (event) => showVerdict(JSON.parse(event.data)));
  window.addEventListener("pagehide", () => events.close());
}

// Who acts is asked once in this browser, where there are no tokens that say it.
const who = document.querySelector("input[name=by]");
if (who) {
  if (!who.value) who.value = localStorage.getItem("billd.operator") ?? "";
  who.form.addEventListener("submit", () => localStorage.setItem("billd.operator", who.value));
}
