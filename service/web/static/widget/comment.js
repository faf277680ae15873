// @ts-check
/**
 * One comment and the replies below it. Three levels are shown; what is deeper stands in the third and says whom it
 * answers. A change redraws this article alone, never its surroundings.
 */
import { button, fill, h, icon, iconButton, prose } from "./kit.js";
import { Composer, ownState } from "./write.js";

export class View {
  level = 0;
  /** @type {View[]} */
  replies = [];
  folded = false;
  composer = null;

  /**
   * @param {import("./comments.js").Widget} w
   * @param {import("./types").Comment} comment
   * @param {View} [above]
   */
  constructor(w, comment, above) {
    this.w = w;
    this.above = above;
    if (above) this.level = above.level + 1;
    this.article = h("article.comment", { tabindex: -1, "aria-labelledby": `by-${comment.id}` });
    this.sub = this.level < 2 && h("ol.replies");
    this.li = h("li", this.article, this.sub);
    w.views.set(comment.id, this);
    this.paint(comment);
  }

  get name() {
    return this.comment.author?.name ?? this.w.t("nobody");
  }

  paint(comment = this.comment) {
    this.comment = comment;
    const { w, folded } = this;
    const { id, gone, nodes, featured, author } = comment;
    this.ignored = !this.shown && author && w.ignored.includes(author.id);
    const brief = gone || folded || this.ignored;
    this.article.classList.toggle("pick", featured && !brief);
    fill(
      this.article,
      featured && !brief && h("p.tag.ui", icon("ribbon"), w.t("featured")),
      gone && !folded ? h("p.gone.ui", { id: `by-${id}` }, w.t(gone)) : this.#byline(),
      !brief && [h("div.text", { dir: "auto" }, prose(nodes)), this.#actions()],
    );
  }

  #byline() {
    const { w, above } = this;
    const { id, author, created_at: time, edited_at: edited } = this.comment;
    return h(
      "header.byline",
      h(`h${w.level + 2}`, { id: `by-${id}` }, h("bdi", this.name)),
      author?.badge && h("span.badge", icon("nib"), w.t(`badge.${author.badge}`)),
      this.level > 2 && h("a", { href: `#comment-${above.comment.id}` }, w.words.pieces("inReplyTo", { name: h("bdi", above.name) })),
      h("a", { href: `#comment-${id}` }, w.time(time)),
      edited && h("span", { title: w.words.date(edited) }, w.t("edited")),
      w.mine.has(id) && ownState(w, w.mine.get(id)),
      this.#folder(),
    );
  }

  #folder() {
    const { w, folded, name, comment } = this;
    const n = comment.replies?.count || this.replies.length;
    const show = () => this.paint((this.shown = this.comment));
    if (this.ignored) return button("fold", show, [w.t("ignored"), " ", h("u", w.t("show"))]);
    if (this.level || !n) return;
    const words = folded ? [icon("plus"), w.t("replies", { n })] : icon("less");
    return button("fold", () => this.fold(!folded), words, { "aria-expanded": `${!folded}`, "aria-label": !folded && w.t("fold", { name }) });
  }

  fold(folded) {
    this.sub.hidden = this.folded = folded;
    this.paint();
    this.article.querySelector(".fold").focus();
  }

  #actions() {
    const { w, comment, name } = this;
    return h(
      "div.actions",
      w.article.reactions.map((kind) => this.#reaction(kind)),
      w.open && button("reply", () => this.reply(), w.t("reply"), { "aria-label": w.t("replyTo", { name }) }),
      h(
        "span.end",
        iconButton("link", () => w.share(comment), w.t("copyLink", { name })),
        comment.author?.id !== w.api.me?.author.id && iconButton("flag", () => w.dialog("report", this), w.t("reportBy", { name })),
      ),
    );
  }

  #reaction(kind) {
    const { w, comment } = this;
    const n = comment.reactions[kind];
    const words = [icon(kind === "like" ? "up" : "news"), w.t(`react.${kind}`), n > 0 && h("span.num", w.words.n(n))];
    return button(kind, () => w.react(this, kind), words, { "aria-pressed": `${!!w.reacted(comment.id, kind)}` });
  }

  /** Opens the box for a reply, with what the reader has selected in this comment as a quote. */
  reply() {
    const root = /** @type {any} */ (this.w.root);
    const selection = (root.getSelection ? root : document).getSelection();
    const words = this.article.contains(selection?.anchorNode) && `${selection}`.trim();
    this.composer ??= new Composer(this.w, { above: this });
    this.article.after(this.composer.form);
    this.composer.area.focus();
    if (words) this.composer.insert(`${words.replace(/^/gm, "> ")}\n\n`);
  }

  /** Shows replies that are not shown yet, and a button for those that come after; answers the first. */
  grow({ comments, next } = this.comment.replies ?? { comments: [], next: null }) {
    const { w } = this;
    const [first] = comments.filter(({ id }) => !w.views.has(id)).map((comment) => this.place(comment));
    const load = () => w.attempt(async () => this.grow(await w.api.read(`${w.path(this.comment.id)}/replies`, { cursor: next }))?.article.focus());
    this.more?.remove();
    this.more = null;
    if (next) this.row((this.more = h("li", button("ln", load, w.t("moreReplies")))));
    return first;
  }

  place(comment) {
    const view = new View(this.w, comment, this);
    this.row(view.li);
    this.replies.push(view);
    view.grow();
    return view;
  }

  /** Puts a row where the replies end: in their own list, or after those that are not indented. */
  row(row) {
    if (this.sub) this.sub.append(row);
    else this.tail.after(row);
    if (this.more && this.more !== row) row.after(this.more);
  }

  get tail() {
    return this.replies.at(-1)?.tail ?? this.li;
  }

  /** Unfolds what hides this comment, brings it into view and marks it. */
  reveal() {
    for (let view = this.above; view; view = view.above) if (view.folded) view.fold(false);
    this.w.unmark();
    this.article.classList.add("here");
    this.article.scrollIntoView();
    this.article.focus({ preventScroll: true });
  }
}
