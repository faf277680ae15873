// @ts-check
/** Read next: the articles of the site that people talk about most, for the foot of an article. */
import { Api } from "./api.js";
import { fill, h, safeUrl, Words } from "./kit.js";

/** Starts the list in an element; where there is nothing to say, what the host put inside stays. */
export function mount(host, tag, texts, sheet) {
  const refresh = () => show(host, new Words(tag, texts), sheet).catch(() => {});
  refresh();
  return { refresh, stop() {}, identify() {} };
}

async function show(host, words, sheet) {
  const of = (name, usual) => host.getAttribute(name) ?? usual;
  const limit = +of("limit", 5);
  const { articles } = await new Api(host).read("/discussed", { site: of("site"), days: of("days", 7), limit: limit + 1 });
  const others = articles.filter(({ key, url }) => key !== of("article") && safeUrl(url)).slice(0, limit);
  if (!others[0]) return;
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  root.adoptedStyleSheets = [sheet];
  const title = h(`h${of("heading-level", 2)}.title`, { id: "title" }, words.t("discussed"));
  const traits = { "aria-labelledby": "title", dir: words.t("dir"), lang: words.tag };
  fill(root, h("section.fw.next", traits, title, h("ol", others.map((one) => row(words, one)))));
}

/** A title, and below it when, where and how many; the hour while it is of this week. */
function row(words, { url, title, section, count: n, last_at: time }) {
  const recent = Date.now() - Date.parse(time) < 6 * 864e5;
  const when = words.date(time, recent ? { weekday: "short", hour: "2-digit", minute: "2-digit" } : { dateStyle: "medium" });
  const about = [h("time", { datetime: time }, when), section && h("bdi", section), h("span.num", words.t("nComments", { n }))];
  return h("li", h("a", { href: url, dir: "auto" }, title), h("p.ui", about));
}
