// @ts-check
/** Elements and words. Text enters the page only as text: there is no HTML string in this widget. */

const icons = {
  pen: "M2.5 13.5l.9-3.4 7.6-7.6 2.5 2.5-7.6 7.6zM9.2 4.3l2.5 2.5",
  clock: "M2 8a6 6 0 1 1 12 0a6 6 0 1 1-12 0M8 4.6V8l2.4 1.4",
  stop: "M2 8a6 6 0 1 1 12 0a6 6 0 1 1-12 0M4 4l8 8",
  tick: "M3 8.5l3.5 3.5L13 5",
  up: "M8 13V3.6M4 7.4l4-4 4 4",
  news: "oM8 4.5h0M3.9 11.2h0M12.1 11.2h0",
  link: "M6.4 9.6l3.2-3.2M7.2 4.9l1.5-1.5a2.75 2.75 0 0 1 3.9 3.9l-1.5 1.5M8.8 11.1l-1.5 1.5a2.75 2.75 0 0 1-3.9-3.9l1.5-1.5",
  flag: "M4 14V2.5h8.5l-2.2 3 2.2 3H4",
  down: "M4 6.2l4 4 4-4",
  less: "M3.5 8h9",
  plus: "M3.5 8h9M8 3.5v9",
  nib: "M8 14V9.2M8 1.8c2.6 2.6 3.4 5 2.4 7.7H5.6C4.6 6.8 5.4 4.4 8 1.8z",
  ribbon: "M4.2 2.5h7.6v11L8 10.6l-3.8 2.9z",
  lock: "M3.5 7.2h9v6.3h-9zM5.5 7V5a2.5 2.5 0 0 1 5 0v2",
  cut: "M2 6.3a8.6 8.6 0 0 1 12 0M4.6 9a5 5 0 0 1 6.8 0M8 12.2v.1M2.8 2.8l10.4 10.4",
  bold: "M5 3h4a2.5 2.5 0 0 1 0 5H5zM5 8h4.6a2.5 2.5 0 0 1 0 5H5z",
  italic: "M7 3h4M5 13h4M9 3L7 13",
  quote: "M2.5 3v10M6 4.5h7.5M6 8h7.5M6 11.5h4.5",
  list: "M6 4h7.5M6 8h7.5M6 12h7.5M3 4h.1M3 8h.1M3 12h.1",
  code: "M5.5 4.5L2 8l3.5 3.5M10.5 4.5L14 8l-3.5 3.5",
};

/** An element, its classes also its parts: `h("p.small", { id, click }, "text", child)`. @returns {any} */
export function h(spec, ...children) {
  const [name, ...classes] = spec.split(".");
  const element = document.createElement(name);
  const traits = children[0]?.constructor === Object && children.shift();
  const names = classes.join(" ");
  for (const [key, value] of Object.entries({ class: names, part: names, ...traits })) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value) element.setAttribute(key, value === true ? "" : value);
  }
  return fill(element, children);
}

export function fill(element, ...children) {
  element.replaceChildren(...children.flat(9).filter(Boolean));
  return element;
}

export function icon(name) {
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  const [, dots, drawing] = icons[name].match(/(o?)(.+)/);
  svg.setAttribute("class", `i ${dots}`);
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", drawing);
  svg.append(path);
  return svg;
}

/** Its rank: "" quiet, "ln" a link, "or" outlined, "do" the one of its view. Without a click it submits. */
export const button = (rank, click, children, traits) =>
  h(`button.button.${rank}`, { type: click ? "button" : "submit", click, ...traits }, children);

export const iconButton = (name, click, label) => button("", click, icon(name), { "aria-label": label, title: label });

export const notice = (tone, sign, title, words, ...actions) =>
  h(
    `div.notice.${tone}`,
    { tabindex: -1, role: tone === "no" && "alert" },
    icon(sign),
    h("div", h("p", h("b", title), " ", words), actions[0] && h("div.row", actions)),
  );

export const labelled = (label, field) => h("label.ui", label, field);

export const safeUrl = (url) => /^(https?:\/\/|mailto:)/i.test(url) && url;

const tags = ["p", "em", "strong", "ul", "ol", "li", "blockquote", "code", "pre", "br"];

/** What a person wrote: only tags that we know, only links to the web. */
export const prose = (pieces) =>
  pieces.map((piece) => {
    if (typeof piece === "string") return piece;
    const href = piece.t === "a" && safeUrl(piece.href);
    const tag = tags.includes(piece.t) ? piece.t : href ? "a" : "span";
    return h(tag, href ? { href, rel: "nofollow ugc noopener" } : {}, prose(piece.c ?? []));
  });

/** Text with spans marked. The service counts code points, not UTF-16. */
export function marked(text, spans) {
  const points = [...text];
  const edges = [...new Set([0, ...spans.flat(), points.length])].sort((a, b) => a - b);
  return edges.slice(1).map((end, i) => {
    const words = points.slice(edges[i], end).join("");
    const depth = spans.filter(([from, to]) => from <= edges[i] && end <= to).length;
    return depth ? h(depth > 1 ? "mark.twice" : "mark", words) : words;
  });
}

export const time = (words, at) => h("time", { datetime: at, title: words.date(at) }, words.ago(at));
