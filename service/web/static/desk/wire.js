// How the desk's script speaks to the server: forms sent as forms, fragments fetched through htmx.

/** What came back: `ok`, the status, and the answer's JSON (a problem where it went wrong). With status 0 the answer was
 *  lost, and only the server knows whether it did what was asked. */
/** @typedef {{ok: boolean, status: number, body: any}} Answer */

const LOST = { ok: false, status: 0, body: { detail: "The answer was lost. We do not know whether it was recorded." } };

/**
 * Send a form. It goes out even while the page is being left, so that no decision is lost.
 * @param {string} address
 * @param {Record<string, string> | FormData} fields
 * @returns {Promise<Answer>}
 */
export async function post(address, fields) {
  const form = new URLSearchParams(/** @type {any} */ (fields instanceof FormData ? [...fields] : fields));
  if (!form.has("csrf")) form.set("csrf", document.body.dataset.csrf ?? "");
  try {
    const answer = await fetch(address, {
      method: "POST",
      body: form,
      headers: { Accept: "application/json" },
      keepalive: true,
      redirect: "error",
    });
    const body = answer.status === 204 ? null : await answer.json().catch(() => null);
    const unread = body === null && answer.status !== 204;
    return unread && (answer.ok || answer.status >= 500) ? LOST : { ok: answer.ok, status: answer.status, body };
  } catch {
    return LOST;
  }
}

/**
 * Read something as JSON; null where that did not work.
 * @param {string} address
 */
export async function read(address) {
  try {
    const answer = await fetch(address, { headers: { Accept: "application/json" }, redirect: "error" });
    return answer.ok ? await answer.json() : null;
  } catch {
    return null;
  }
}

/**
 * A fragment of a page as elements, made by htmx under its Trusted Types policy; empty where it did not come.
 * @param {Element} source what asks
 * @param {string} address
 * @returns {Promise<Element[]>}
 */
export async function fragment(source, address) {
  const ahead = document.getElementById("ahead");
  const place = document.createElement("div");
  ahead?.append(place);
  try {
    await window.htmx.ajax("GET", address, { source, target: place, swap: "beforeend" });
    return [...place.children];
  } catch {
    return [];
  } finally {
    place.remove();
  }
}
