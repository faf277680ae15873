// @ts-check
/** Read next: what people talk about most; where there is nothing to say, what the host put inside stays. */
import { Api } from "./api.js";
import { fill, h, safeUrl, time } from "./kit.js";

export function mount(host, root, words) {
  const refresh = () => show(host, root, words).catch(() => {});
  refresh();
  return { refresh, stop() {}, identify() {} };
}

async function show(host, root, words) {
  fill(root, h("slot"));
  const of = (name, usual) => host.getAttribute(name) ?? usual;
  const limit = +of("limit", 5);
  const { articles } = await new Api(host).read("/discussed", { site: of("site"), days: of("days"), limit: limit + 1 });
  const others = articles.filter(({ key, url }) => key !== of("article") && safeUrl(url)).slice(0, limit);
  if (!others[0]) return;
  const title = h(`h${of("heading-level", 2)}.title`, { id: "title" }, words.t("discussed"));
  const traits = { "aria-labelledby": "title", dir: words.t("dir"), lang: words.tag };
  fill(root, h("section.fw.next", traits, title, h("ol", others.map((one) => row(words, one)))));
}

const row = (words, { url: href, title, section, count: n, last_at: last }) =>
  h("li", h("a", { href, dir: "auto" }, title), h("p.ui", time(words, last), h("bdi", section), h("span.num", words.t("nComments", { n }))));
