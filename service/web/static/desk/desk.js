// The desk's own script: keys, cards fetched ahead, decisions sent behind. Every flow works without it.

import { advance, again, ahead, beside, bringBack, card, list, rowOf, rows, show } from "./cards.js";
import { listen } from "./keys.js";
import { forget, take, tokenOf } from "./lease.js";
import { drop, keep, recall } from "./notes.js";
import { say } from "./toast.js";
import { post, read } from "./wire.js";

const COUNT_EVERY = 15_000;
/** @type {{decision: string, comment: string}[]} */
const done = [];
let armed = false;
let going = false;

const form = () => /** @type {HTMLFormElement | null} */ (document.getElementById("decide"));
const reason = () => /** @type {HTMLInputElement | null} */ (form()?.querySelector("[name=reason]:checked") ?? null);

// ---- decisions ----

/** Send the card's form and go on without waiting. @param {string} verdict @param {string} [address] */
function decide(verdict, address) {
  const shown = card();
  const sent = form();
  const row = shown && rowOf(shown.dataset.id ?? "");
  if (!shown || !sent) return;
  const fields = new FormData(sent);
  fields.set("verdict", verdict);
  fields.set("token", tokenOf(shown));
  if (verdict !== "reject") fields.delete("reason");
  /** @type {Sent} */
  const what = { words: spoken(verdict, reason()), row, comment: shown.dataset.id ?? "", before: shown.dataset.mine };
  keep(what.comment, String(fields.get("note") ?? ""), what.before);
  forget();
  arm(false);
  if (row) advance(row);
  settle(post(address ?? sent.action, fields), what);
}

/** A decision on its way. `before` is one's own decision that the card showed already, if it was the last.
 *  @typedef {{words: string, row: HTMLElement | null, comment: string, before: string | undefined}} Sent */

/** @param {Promise<import("./wire.js").Answer>} answer @param {Sent} sent */
async function settle(answer, sent) {
  const { ok, status, body } = await answer;
  const { row } = sent;
  if (ok) recorded(body, sent);
  else if (status === 0) doubt(body.detail, sent);
  else if (status === 409 && body?.code === "stale-version") {
    row?.remove();
    say(`${body.detail} ${body.at ? when(body.at) : ""}`, look(body, row), true);
  } else if (status === 401) {
    signedOut(row);
  } else {
    say(body?.detail ?? "That did not work. Nothing was recorded.", null, true);
    if (row) bringBack(row);
  }
}

/** @param {{decision: string, undoable: boolean}} made @param {Sent} sent */
function recorded(made, { words, row, comment }) {
  drop(comment);
  done.push({ decision: made.decision, comment });
  say(words, made.undoable ? { word: "Undo", key: "U", act: undo } : null);
  row?.remove();
  if (!row) location.reload();
}

/** The answer was lost: the card tells whether the decision was not. @param {string} detail @param {Sent} sent */
async function doubt(detail, sent) {
  const { row, before } = sent;
  const now = row && (await again(row));
  const mine = now?.dataset.mine;
  if (mine && mine !== before) return recorded({ decision: mine, undoable: now.dataset.undoable === "1" }, sent);
  if (now) {
    say("The answer was lost, and nothing of yours is on this card so far. Please decide again.", null, true);
    return bringBack(row);
  }
  row?.classList.remove("gone");
  say(detail, { word: "Look again", act: () => (row ? void doubt(detail, sent) : location.reload()) }, true);
}

/** To the login, and from there back to the card that is still to be decided. @param {HTMLElement | null} row */
function signedOut(row) {
  const link = /** @type {HTMLAnchorElement | null} */ (row?.querySelector("a.to") ?? null);
  if (link) location.assign(link.href);
  else location.reload();
}

/** @param {any} _body @param {HTMLElement | null} row */
function look(_body, row) {
  const link = /** @type {HTMLAnchorElement | null} */ (row?.querySelector("a.to") ?? null);
  return link && { word: "Show it", act: () => location.assign(link.href) };
}

/** @param {string} verdict @param {HTMLInputElement | null} why */
function spoken(verdict, why) {
  const name = card()?.querySelector(".by h2")?.textContent?.trim() ?? "";
  const label = why?.closest("label")?.querySelector("span")?.textContent ?? "";
  const what = { approve: "Approved", reject: `Rejected: ${label.toLowerCase()},`, escalate: "Escalated" }[verdict];
  return `${what} ${name}`;
}

/** @param {string} moment */
function when(moment) {
  return `At ${new Date(moment).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" })}.`;
}

async function undo() {
  const last = done.pop();
  const shownUndo = /** @type {HTMLButtonElement | null} */ (document.getElementById("undo-last"));
  if (!last) return shownUndo?.click();
  const answer = await post(address("undo").replace("DECISION", last.decision), {});
  if (answer.status === 0) done.push(last);
  if (!answer.ok) return say(answer.body?.detail ?? "That could not be taken back.", null, true);
  const back = new URL(location.href);
  back.searchParams.set("card", last.comment);
  back.searchParams.delete("after");
  location.assign(back);
}

/** @param {string} name */
const address = (name) => document.body.dataset[name] ?? "";

// ---- reasons ----

/** A digit chooses a reason; the same again, or any after the reject key, sends it. @param {string} digit */
function digit(digit) {
  if (going) return go(digit);
  const input = /** @type {HTMLInputElement | null} */ (form()?.querySelector(`[data-key="${digit}"]`) ?? null);
  if (!input) return;
  const again = input.checked;
  input.checked = true;
  if (again || armed) decide("reject");
}

function reject() {
  if (reason()) return decide("reject");
  arm(true);
}

function spam() {
  const input = /** @type {HTMLInputElement | null} */ (form()?.querySelector("[name=reason][value=spam]") ?? null);
  if (!input) return;
  input.checked = true;
  decide("reject");
}

/** @param {boolean} on */
function arm(on) {
  armed = on;
  document.querySelector(".act")?.classList.toggle("asking", on);
  if (on) /** @type {HTMLElement | null} */ (form()?.querySelector("[name=reason]"))?.focus();
}

function cancel() {
  going = false;
  arm(false);
  const checked = reason();
  if (checked) checked.checked = false;
  /** @type {HTMLDialogElement | null} */ (document.querySelector("dialog[open]"))?.close();
  if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
}

// ---- going about ----

/** @param {string} digit */
function go(digit) {
  going = false;
  /** @type {NodeListOf<HTMLAnchorElement>} */ (document.querySelectorAll(".views a"))[Number(digit) - 1]?.click();
}

/** @param {string} selector */
const press = (selector) => /** @type {HTMLElement | null} */ (document.querySelector(selector))?.click();

const acts = {
  next: () => void show(beside(1)),
  previous: () => void show(beside(-1)),
  approve: () => form() && decide("approve"),
  reject,
  confirm: () => reason() && decide("reject"),
  escalate: () => form() && decide("escalate", card()?.dataset.escalation),
  spam,
  undo: () => void undo(),
  context: () => document.getElementById("frame")?.classList.toggle("with-side"),
  unfold: () => press("#card .veil summary"),
  open: () => press("#card .art a"),
  search: () => /** @type {HTMLElement | null} */ (document.querySelector(".find input"))?.focus(),
  go: () => void (going = true),
  help: () => /** @type {HTMLDialogElement | null} */ (document.getElementById("help"))?.showModal(),
  select: () => press('.row[aria-current="true"] [type=checkbox]'),
  range: selectRange,
  cancel,
};

/** Select every row from the last selected one to the current. */
function selectRange() {
  const all = rows();
  const boxes = all.map((row) => /** @type {HTMLInputElement | null} */ (row.querySelector("[type=checkbox]")));
  const here = all.findIndex((row) => row.getAttribute("aria-current") === "true");
  const last = boxes.findLastIndex((box, at) => at !== here && box?.checked);
  if (here < 0 || last < 0) return press('.row[aria-current="true"] [type=checkbox]');
  for (const box of boxes.slice(Math.min(here, last), Math.max(here, last) + 1)) if (box) box.checked = true;
  document.dispatchEvent(new Event("desk:selected"));
}

// ---- wiring ----

document.addEventListener("submit", (event) => {
  if (event.target !== form() || !(event.submitter instanceof HTMLButtonElement)) return;
  event.preventDefault();
  const verdict = event.submitter.value || "escalate";
  decide(verdict, verdict === "escalate" ? card()?.dataset.escalation : undefined);
});

document.addEventListener("click", (event) => {
  const at = event.target instanceof Element ? event.target : null;
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  if (at?.closest(".nay") && !reason()) {
    event.preventDefault();
    return reject();
  }
  const row = /** @type {HTMLElement | null} */ (at?.closest("a.to")?.closest(".row") ?? null);
  const next = at?.closest("#card a.next");
  if (row ?? next) {
    event.preventDefault();
    show(row ?? beside(1));
  }
});

document.addEventListener("desk:again", () => location.reload());
document.addEventListener("desk:shown", () => recall(card()));
/** Say how many cards are ticked. */
function tell() {
  const place = document.getElementById("ticked");
  if (place) place.textContent = `${list().querySelectorAll("[type=checkbox]:checked").length} selected`;
}

document.addEventListener("desk:selected", tell);
document.addEventListener("change", (event) => {
  if (event.target instanceof HTMLInputElement && event.target.name === "id") tell();
  if (event.target instanceof HTMLSelectElement && event.target.id === "order") event.target.form?.requestSubmit();
});

async function count() {
  const found = document.hidden ? null : await read(address("counts"));
  if (!found) return;
  for (const link of document.querySelectorAll(".views [data-view]")) {
    const number = link.querySelector("span");
    const many = found.counts[/** @type {HTMLElement} */ (link).dataset.view ?? ""];
    if (number) number.textContent = many ? String(many) : "";
  }
  const live = document.getElementById("live");
  if (live) live.textContent = found.live;
}

listen(acts, digit);
if (document.getElementById("rows")) {
  document.querySelector('.row[aria-current="true"]')?.scrollIntoView({ block: "nearest" });
  take(card());
  recall(card());
  ahead();
  window.setInterval(count, COUNT_EVERY);
}
