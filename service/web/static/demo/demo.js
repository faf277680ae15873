// @ts-check
// The demo page's own script: shows by polling what arrived at its receiver.

const list = /** @type {HTMLOListElement} */ (document.getElementById("received"));
const none = /** @type {HTMLElement} */ (document.getElementById("none"));
const seen = new Set();

/** @param {string} tag @param {string} text */
const make = (tag, text) => Object.assign(document.createElement(tag), { textContent: text });

async function look() {
  try {
    const { received } = await (await fetch("/demo/received", { cache: "no-store" })).json();
    for (const { id, at, event } of received.reverse()) {
      if (seen.has(id)) continue;
      seen.add(id);
      const item = document.createElement("li");
      const about = event.data?.comment ? `comment ${event.data.comment.id.slice(0, 8)}… is ${event.data.comment.status}` : "";
      item.append(make("b", event.type), make("span", about), make("span", at.slice(11, 19)), make("span", "signature good"));
      list.prepend(item);
    }
    none.hidden = seen.size > 0;
  } catch {
    // The service is restarting; the next look will tell.
  }
  setTimeout(look, document.hidden ? 10_000 : 2_000);
}

look();
