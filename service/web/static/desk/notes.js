// Notes that were sent with a decision, kept in this tab until it is known to be recorded, so that nobody types them twice.

const KEPT = "firstword-note-";

/** Keep a note for as long as `mine`, one's own decision that the card shows, stays the same.
 *  @param {string} comment @param {string} note @param {string | undefined} mine */
export function keep(comment, note, mine) {
  if (note.trim()) sessionStorage.setItem(KEPT + comment, JSON.stringify([note, mine ?? ""]));
}

/** @param {string} comment */
export function drop(comment) {
  sessionStorage.removeItem(KEPT + comment);
}

/** Put a kept note back into a card that is shown once more, and say why it is there. @param {HTMLElement | null} card */
export function recall(card) {
  const id = card?.dataset.id ?? "";
  const field = /** @type {HTMLTextAreaElement | null} */ (card?.querySelector("[name=note]") ?? null);
  const [note, mine] = JSON.parse(sessionStorage.getItem(KEPT + id) ?? "[]");
  if (!note || !field || field.value) return;
  if (mine !== (card?.dataset.mine ?? "")) return drop(id);
  field.value = note;
  field.closest("details")?.setAttribute("open", "");
  const line = document.createElement("p");
  line.className = "say wait";
  line.textContent = "This was not recorded. Your note is still here: please decide again.";
  card?.querySelector(".notices")?.replaceChildren(line);
}
