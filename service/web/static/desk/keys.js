// Which key does what. Everybody may change the letters, and switch all single keys off.

/** @typedef {{on: boolean, keys: Record<string, string>}} Choice */

/** What somebody chose, from the page. @returns {Choice} */
export function chosen() {
  return JSON.parse(document.body.dataset.keys ?? '{"on": false, "keys": {}}');
}

/**
 * Listen for single keys; `acts` are the verbs by name, `digit` gets 1 to 9.
 * @param {Record<string, () => void>} acts
 * @param {(digit: string) => void} digit
 */
export function listen(acts, digit) {
  const { on, keys } = chosen();
  const verbs = new Map(Object.entries(keys).map(([verb, key]) => [key, verb]));
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || isWriting(event)) return;
    const verb = event.key === "Escape" ? "cancel" : on ? verbs.get(name(event)) : undefined;
    if (verb && acts[verb]) {
      event.preventDefault();
      acts[verb]();
    } else if (on && /^[1-9]$/.test(event.key)) {
      event.preventDefault();
      digit(event.key);
    } else if (on && event.key === "Enter" && acts.confirm && !isControl(event)) {
      event.preventDefault();
      acts.confirm();
    }
  });
}

/** A key by the name that the settings use. @param {KeyboardEvent} event */
function name(event) {
  const letter = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  return event.shiftKey && /^[a-z]$/.test(letter) ? `shift+${letter}` : letter;
}

/** @param {KeyboardEvent} event */
function isWriting(event) {
  const at = event.target instanceof Element ? event.target : null;
  const typing = at?.closest("textarea, select, [contenteditable], input:not([type=radio], [type=checkbox])");
  return event.key !== "Escape" && Boolean(typing ?? document.querySelector("dialog[open]"));
}

/** @param {KeyboardEvent} event */
function isControl(event) {
  return event.target instanceof Element && Boolean(event.target.closest("a, button, summary"));
}
