// @ts-check
/**
 * Counts for list pages: fills every `<… data-firstword="ARTICLE KEY">` with its number of comments.
 * `<script type="module" src="…/widget/counter.js?site=SITE">`. Where there is none, the element is left as it is.
 */
const here = new URL(import.meta.url);
const site = here.searchParams.get("site") ?? "";
const api = here.href.replace(/\/widget\/.*$/, "/api/v1/counts");
const number = new Intl.NumberFormat(document.documentElement.lang || undefined);

/** Counts what stands on the page now; call it again when the list grows. */
export async function count() {
  const places = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("[data-firstword]")]);
  const keys = [...new Set(places.map((place) => place.dataset.firstword ?? ""))];
  for (let i = 0; i < keys.length; i += 100) {
    const query = new URLSearchParams([["site", site], ...keys.slice(i, i + 100).map((key) => ["article", key])]);
    const answer = await fetch(`${api}?${query}`, { credentials: "omit" });
    if (!answer.ok) return;
    const { counts } = await answer.json();
    for (const place of places) {
      const n = counts[place.dataset.firstword ?? ""];
      if (n > 0) place.textContent = number.format(n);
      if (n > 0) place.hidden = false;
    }
  }
}

count().catch(() => {}); // No service, no numbers: the list is complete without them.
