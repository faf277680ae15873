// The list and the card: which one is shown, and the next ones fetched ahead, so that deciding never waits.

import { leave, take } from "./lease.js";
import { fragment } from "./wire.js";

const AHEAD = 2;
const FEW = 8;

/** @type {Map<string, Promise<Element[]>>} */
const fetched = new Map();

export const list = () => /** @type {HTMLElement} */ (document.getElementById("rows"));
export const card = () => /** @type {HTMLElement | null} */ (document.querySelector("#hold #card[data-id]"));
/** @returns {HTMLElement[]} */
export const rows = () => /** @type {any} */ ([...list().querySelectorAll(".row:not(.gone)")]);
/** @param {string} id */
export const rowOf = (id) => /** @type {HTMLElement | null} */ (list().querySelector(`.row[data-id="${CSS.escape(id)}"]`));

/** The row before (-1) or after (1) the shown one. @param {number} step */
export function beside(step) {
  const all = rows();
  const at = all.findIndex((row) => row.dataset.id === card()?.dataset.id);
  return at < 0 ? all[0] : all[at + step];
}

/** Fetch a card ahead, once. @param {HTMLElement | undefined} row */
function fetchAhead(row) {
  const link = row?.querySelector("a.to");
  const id = row?.dataset.id;
  if (!link || !id) return null;
  if (!fetched.has(id)) fetched.set(id, fragment(link, /** @type {HTMLElement} */ (link).dataset.card ?? ""));
  return fetched.get(id) ?? null;
}

/** Show the card of a row. @param {HTMLElement | undefined} row */
export async function show(row) {
  if (!row) return;
  const id = row.dataset.id ?? "";
  const wanted = fetchAhead(row);
  mark(row);
  const parts = (await wanted) ?? [];
  fetched.delete(id);
  if (row.getAttribute("aria-current") !== "true") return;
  if (!parts.length) return location.assign(/** @type {HTMLAnchorElement} */ (row.querySelector("a.to")).href);
  put(parts);
  const address = new URL(location.href);
  address.searchParams.set("card", id);
  address.searchParams.delete("done");
  address.hash = "";
  history.replaceState(null, "", address);
  ahead();
}

/** Put a card on screen and take it. @param {Element[]} parts */
function put(parts) {
  leave();
  document.getElementById("hold")?.replaceChildren(...parts);
  const shown = card();
  shown?.focus({ preventScroll: true });
  window.scrollTo(0, 0);
  take(shown);
  document.dispatchEvent(new Event("desk:shown"));
}

/** @param {HTMLElement} row */
function mark(row) {
  for (const other of list().querySelectorAll('.row[aria-current="true"]')) other.removeAttribute("aria-current");
  row.setAttribute("aria-current", "true");
  row.scrollIntoView({ block: "nearest" });
}

/** Fetch the next cards, and further rows where few are left. */
export function ahead() {
  const all = rows();
  const at = all.findIndex((row) => row.dataset.id === card()?.dataset.id);
  for (let step = 1; step <= AHEAD; step += 1) fetchAhead(all[at + step]);
  if (all.length - at <= FEW) further();
}

let asking = false;

async function further() {
  const more = /** @type {HTMLElement | null} */ (document.getElementById("further"));
  if (!more?.dataset.rows || asking) return;
  asking = true;
  const parts = await fragment(more, more.dataset.rows);
  asking = false;
  const known = new Set([...list().querySelectorAll(".row")].map((row) => /** @type {HTMLElement} */ (row).dataset.id));
  const fresh = parts.flatMap((part) => [...part.querySelectorAll(".row")]);
  list().append(...fresh.filter((row) => !known.has(/** @type {HTMLElement} */ (row).dataset.id)));
  const next = parts.map((part) => part.querySelector("#further")).find(Boolean);
  const place = more.parentElement;
  if (next) more.replaceWith(next);
  else place?.remove();
}

/** Take a decided card out of the list and show the next one. Returns a way back. @param {HTMLElement} row */
export function advance(row) {
  const after = beside(1) ?? beside(-1);
  row.classList.add("gone");
  if (after) show(after);
  else document.getElementById("hold")?.replaceChildren(finished());
}

function finished() {
  const end = document.createElement("main");
  end.className = "card none";
  end.id = "card";
  const line = document.createElement("p");
  line.textContent = "That was the last card here.";
  end.append(line);
  return end;
}

/** The card of a row as the server has it now; null where it does not come. @param {HTMLElement} row */
export async function again(row) {
  const id = row.dataset.id ?? "";
  fetched.delete(id);
  const parts = (await fetchAhead(row)) ?? [];
  fetched.delete(id);
  const found = parts.find((part) => part instanceof HTMLElement && part.dataset.id === id);
  return /** @type {HTMLElement | null} */ (found ?? null);
}

/** Put a row back that was not decided after all, and show it. @param {HTMLElement} row */
export function bringBack(row) {
  row.classList.remove("gone");
  fetched.delete(row.dataset.id ?? "");
  return show(row);
}
