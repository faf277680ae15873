// The lease of the card on screen: taken when it is shown, kept while it is seen, given back when it is left.

import { post } from "./wire.js";

const RENEW_EVERY = 30_000;
const SETTLE = 250;

/** @type {{card: HTMLElement, token: string, ends: number} | null} */
let held = null;
let waiting = 0;

/** The token to decide this card with; empty where there is none. @param {HTMLElement} card */
export function tokenOf(card) {
  return held?.card === card ? held.token : "";
}

/** Take the card that is shown now, once it has been shown for a moment. @param {HTMLElement | null} card */
export function take(card) {
  leave();
  window.clearTimeout(waiting);
  if (card?.dataset.lease && !card.dataset.reader) waiting = window.setTimeout(() => claim(card), SETTLE);
}

/** Give the card back: it was left undecided. */
export function leave() {
  if (held?.card.dataset.release) post(held.card.dataset.release, { token: held.token });
  held = null;
}

/** The card was decided: there is nothing left to give back. */
export function forget() {
  window.clearTimeout(waiting);
  held = null;
}

/** @param {HTMLElement} card */
async function claim(card) {
  const answer = await post(card.dataset.lease ?? "", {});
  if (!card.isConnected) return;
  if (answer.ok) {
    held = { card, token: answer.body.token, ends: Date.now() + answer.body.seconds * 1000 };
    if (String(answer.body.version) !== card.dataset.version) notice(card, "changed");
  } else if (answer.status === 409) {
    notice(card, "taken", answer.body?.detail);
  }
  tick();
}

async function renew() {
  if (!held || document.hidden) return;
  const { card, token } = held;
  const answer = await post(card.dataset.lease ?? "", { token });
  if (held?.token !== token) return;
  if (answer.ok) held.ends = Date.now() + answer.body.seconds * 1000;
  else if (answer.status === 409) {
    held = null;
    notice(card, "over");
  }
}

/** Show how long the card is still one's own; once a second, said to nobody. */
function tick() {
  const place = document.getElementById("lease");
  if (!place) return;
  const seconds = held ? Math.max(0, Math.round((held.ends - Date.now()) / 1000)) : 0;
  place.hidden = !held;
  const words = place.querySelector("span");
  if (words) words.textContent = `Yours for ${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  const bar = place.querySelector("progress");
  if (bar) bar.value = seconds;
  if (held && seconds === 0) {
    notice(held.card, "over");
    held = null;
  }
}

const WORDS = {
  over: ["This card is open to others again.", "You were away for more than 90 seconds.", "Take it back"],
  taken: ["Somebody else reads this card.", "", ""],
  changed: ["The author changed the text.", "A decision counts for one version. Open the card again.", "Show the new text"],
};

/** @param {HTMLElement} card @param {"over" | "taken" | "changed"} kind @param {string} [detail] */
function notice(card, kind, detail) {
  const [bold, rest, word] = WORDS[kind];
  const place = card.querySelector(".notices");
  if (!place) return;
  const box = document.createElement("div");
  box.className = "say wait";
  const line = document.createElement("p");
  const strong = document.createElement("b");
  strong.textContent = detail ?? bold;
  line.append(strong, ` ${rest} `);
  if (word) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "b ln";
    button.textContent = word;
    button.addEventListener("click", () => {
      box.remove();
      if (kind === "over") claim(card);
      else card.dispatchEvent(new CustomEvent("desk:again", { bubbles: true }));
    });
    line.append(button);
  }
  box.append(line);
  place.replaceChildren(box);
}

window.setInterval(tick, 1_000);
window.setInterval(renew, RENEW_EVERY);
document.addEventListener("visibilitychange", () => renew());
window.addEventListener("pagehide", leave);
