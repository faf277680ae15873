// What was done, said in a corner, with a way to take it back. It never covers a decision.

/**
 * Say something. `action` is the word of a button and what it does.
 * @param {string} text
 * @param {{word: string, key?: string, act: () => void} | null} action
 * @param {boolean} wrong whether something did not work, which stays until it is read
 */
export function say(text, action = null, wrong = false) {
  const corner = document.getElementById("toasts");
  if (!corner) return;
  const toast = document.createElement("div");
  toast.className = wrong ? "toast wrong" : "toast";
  const words = document.createElement("span");
  words.textContent = text;
  toast.append(words);
  if (action) toast.append(button(action, toast));
  corner.replaceChildren(toast);
  if (!wrong) window.setTimeout(() => toast.remove(), 20_000);
}

/** @param {{word: string, key?: string, act: () => void}} action @param {Element} toast */
function button(action, toast) {
  const made = document.createElement("button");
  made.className = "b";
  made.type = "button";
  made.textContent = `${action.word} `;
  if (action.key) {
    const cap = document.createElement("kbd");
    cap.textContent = action.key;
    made.append(cap);
  }
  made.addEventListener("click", () => {
    toast.remove();
    action.act();
  });
  return made;
}
