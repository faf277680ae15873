// @ts-check
/**
 * The comments of one article: loads them, keeps them true, and gives every part what it shares.
 * Moves nothing that is being read: news waits behind a button until the reader asks.
 */
import { Api } from "./api.js";
import { View } from "./comment.js";
import { button, fill, h, icon, notice, safeUrl, Words } from "./kit.js";
import { Composer, ownComment } from "./write.js";

/** Starts the widget in an element. */
export function mount(host, tag, texts, sheet) {
  const widget = new Widget(host, new Words(tag, texts));
  widget.root.adoptedStyleSheets = [sheet];
  widget.start();
  return widget;
}

export class Widget {
  /** Every comment on the page. @type {Map<string, View>} */
  views = new Map();
  /** The reader's own. @type {Map<string, Mine>} @typedef {import("./types").Mine} Mine */
  mine = new Map();
  /** Rows for the reader's eyes only. @type {Map<string, HTMLElement>} */
  own = new Map();
  #end = new AbortController();
  #failures = 0;
  composer = null;
  editor = null;

  /** @param {import("./types").Host} host @param {Words} words */
  constructor(host, words) {
    this.host = host;
    this.words = words;
    this.root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
    this.api = new Api(host);
    this.store = this.api.store;
    this.level = +host.getAttribute("heading-level") || 2;
    this.sort = this.store.get("sort") ?? host.getAttribute("sort") ?? "newest";
    this.ignored = this.store.get("ignored") ?? [];
  }

  /** What the host put inside stays in sight until there is something better. */
  async start(again = false) {
    const { host, root } = this;
    const grey = h("div.fw.wait", { role: "status", "aria-label": this.t("loading") }, h("i"), h("i"), h("i"), h("i"));
    fill(root, h("slot"), !host.firstElementChild && grey);
    try {
      this.#paint(await this.#read());
    } catch (problem) {
      return this.#failed(problem);
    }
    if (again) this.section.focus();
    this.#listen();
    await this.identify();
    this.#offerDraft();
    await this.#follow();
    this.#sleep();
  }

  stop() {
    this.#end.abort();
    clearTimeout(this.poll);
  }

  t(key, values) {
    return this.words.t(key, values);
  }

  path(id) {
    return `/comments/${encodeURIComponent(id)}`;
  }

  /** The article as the host names it. */
  about() {
    const of = (name) => this.host.getAttribute(name);
    const { href } = new URL(of("url") ?? location.pathname, location.href);
    return { key: of("article") ?? href, url: href, title: of("title") ?? document.title };
  }

  get open() {
    return this.article.state !== "closed";
  }

  get limit() {
    return this.article.max_length ?? 2000;
  }

  /** @returns {Promise<import("./types").Thread>} */
  #read(cursor, sort = this.sort) {
    return this.api.read("/comments", { site: this.api.site, article: this.about().key, sort, limit: 20, cursor });
  }

  #failed({ status, message }) {
    const retry = () => this.start(true);
    const [sign, title] = navigator.onLine ? ["stop", "notLoaded"] : ["cut", "offline"];
    const words = status === 429 ? message : this.t("notLoadedHelp");
    fill(this.root, h("slot"), h("div.fw", { dir: this.t("dir") }, notice("no", sign, this.t(title), words, button("ln", retry, this.t("retry")))));
    addEventListener("online", retry, { once: true, signal: this.#end.signal });
  }

  #paint(thread) {
    this.prompt = h("div");
    this.apart = h("div.apart");
    this.bar = h("div.bar");
    this.picks = h("div.picks");
    this.pill = h("div.pill");
    this.list = h("ol.list");
    this.more = h("div.more");
    this.count = h("span.count.num");
    this.status = h("div.vh", { role: "status" });
    this.section = h(
      "section.fw",
      { "aria-labelledby": "title", dir: this.t("dir"), lang: this.words.tag, tabindex: -1 },
      h(`h${this.level}.title`, { id: "title" }, this.t("comments"), this.count),
      [this.prompt, this.apart, this.bar, this.picks],
      h(`h${this.level + 1}.vh`, this.t("all")),
      [this.pill, this.list, this.more, this.status],
    );
    this.#show(thread);
    fill(this.root, this.section);
  }

  /** Shows a thread in place of the one at hand. */
  #show(thread) {
    this.views.clear();
    this.#take(thread.article);
    this.#invite();
    fill(this.list);
    fill(this.picks);
    for (const pick of thread.featured) this.#place(pick, this.picks);
    this.#append(thread);
    for (const mine of this.mine.values()) this.#showOwn(mine);
  }

  /** Takes what is new about the article; all that it counts has been shown. */
  #take(article, seen = article.count) {
    const { count } = (this.article = article);
    const sort = (order) => button("", () => this.order(order), this.t(order), { "aria-pressed": `${order === this.sort}` });
    this.seen = seen;
    fill(this.pill);
    fill(this.count, count > 0 && this.words.n(count));
    fill(this.bar, count > 1 && h("div.sort", { role: "group", "aria-label": this.t("order") }, ["top", "newest", "oldest"].map(sort)));
    this.emit("count", { count });
  }

  /** The editor's question and the way in. */
  #invite() {
    const { prompt, count } = this.article;
    const open = () => (fill(this.way, (this.composer ??= new Composer(this, {})).form), this.composer.area.focus());
    this.way = h("div", this.open ? button("open", open, [icon("pen"), this.t(count ? "write" : "first")]) : notice("", "lock", this.t("closed"), this.t("closedHelp")));
    fill(this.prompt, prompt && h("div.prompt", h("p.ui", this.t("asks")), h(`h${this.level + 1}`, { dir: "auto" }, prompt)), this.way);
  }

  #append({ comments, next }) {
    const [first] = comments.filter(({ id }) => !this.views.has(id)).map((comment) => this.#place(comment));
    const more = () => this.attempt(async () => this.#append(await this.#read(next))?.article.focus({ preventScroll: true }));
    const shown = this.t("shown", { n: this.article.count, shown: this.views.size });
    fill(this.more, next && [button("or", more, this.t("more")), h("p.ui.num", shown)]);
    return first;
  }

  #place(comment, list = this.list, first = false) {
    const view = new View(this, comment);
    list.insertBefore(view.li, first ? list.firstChild : null);
    view.grow();
    return view;
  }

  order(sort) {
    this.sort = sort;
    this.store.set("sort", sort);
    return this.attempt(async () => {
      this.saveDrafts();
      this.#show(await this.#read());
      this.bar.querySelector("[aria-pressed=true]").focus();
    });
  }

  // ---- the reader ----

  /** Learns who the reader is and shows what is theirs; where that fails they can still read. */
  async identify() {
    await this.api.token(true).catch(() => {});
    if (this.identified() && this.api.me) await this.loadMine();
  }

  /** Redraws what depends on who the reader is. */
  identified() {
    for (const { composer } of [this, ...this.views.values()]) composer?.refresh();
    return true;
  }

  /** A link to the host's own sign-in, where it has one. */
  signIn() {
    const href = this.host.getAttribute("sign-in");
    const click = (event) => this.emit("sign-in") || event.preventDefault();
    return href && [this.words.pieces("orSignIn", { link: h("a", { href, click }, this.t("signIn")) }), " "];
  }

  async loadMine() {
    const query = { site: this.api.site, article: this.article.key };
    const { comments } = await this.api.write("GET", "/me/comments", null, query).catch(() => ({ comments: [] }));
    for (const mine of comments.reverse()) if (!this.store.get(`hide ${mine.id}`)) this.#showOwn(mine);
  }

  /** Shows one of the reader's comments where it belongs: in the thread, or apart. */
  #showOwn(mine) {
    const { id, status, parent, fresh } = mine;
    this.mine.set(id, mine);
    this.views.get(id)?.paint();
    this.own.get(id)?.remove();
    if (status === "approved" || (status === "deleted" && !fresh)) return;
    const view = this.views.get(parent);
    const row = h(view ? "li" : "div", ownComment(this, mine));
    if (view) view.row(row);
    else this.apart.prepend(row);
    this.own.set(id, row);
  }

  /** Takes what the service answered to something written. */
  took(mine, above) {
    const { id, status } = mine;
    const view = this.views.get(id);
    mine.fresh = true;
    if (status === "approved" && view) view.comment = { ...view.comment, ...mine, replies: view.comment.replies };
    if (status === "approved" && !view) this.#publish(mine, above);
    this.#showOwn(mine);
    this.#focus(id);
    this.say(this.t(status === "approved" ? "published" : status));
    this.emit("posted", { id, status });
  }

  #publish(mine, above) {
    this.#take({ ...this.article, count: this.article.count + 1 }, this.seen + 1);
    if (above) above.place(mine);
    else this.#place(mine, this.list, true);
    if (!this.composer?.form.isConnected) this.#invite();
  }

  #focus(id) {
    const row = this.own.get(id);
    (row?.isConnected ? row.firstElementChild : this.views.get(id)?.article ?? this.section).focus();
  }

  forget({ id }) {
    this.store.set(`hide ${id}`, 1);
    this.own.get(id).remove();
    this.section.focus();
  }

  withdraw(mine) {
    return this.#change(mine, "DELETE", "", "withdrawn");
  }

  restore(mine) {
    return this.#change(mine, "POST", "/restoration", null);
  }

  #change(mine, method, verb, gone) {
    return this.attempt(async () => {
      const answer = await this.api.write(method, this.path(mine.id) + verb);
      const view = this.views.get(mine.id);
      if (view) view.comment.gone = gone;
      this.#showOwn({ ...mine, ...answer, fresh: true });
      this.#focus(mine.id);
    });
  }

  // ---- drafts ----

  /** What is written and not sent, by what it answers. @returns {Record<string, import("./types").Draft>} */
  get drafts() {
    return this.store.get(`drafts ${this.article.key}`) ?? {};
  }

  keepDraft(slot, draft) {
    this.store.set(`drafts ${this.article.key}`, { ...this.drafts, [slot]: draft || undefined });
  }

  saveDrafts() {
    for (const { composer } of [this, ...this.views.values()]) if (composer?.form.isConnected) composer.save();
  }

  /** A composer was put away; the focus goes back to what opened it. */
  closed({ form, above, edit }, sent = false) {
    form.remove();
    if (!above && !edit) this.#invite();
    if (sent) return;
    if (edit) this.#focus(edit.id);
    else (above ? above.article.querySelector(".reply") : this.way.firstChild).focus();
  }

  /** A draft left behind is offered, once. */
  #offerDraft() {
    const [[slot, draft] = []] = Object.entries(this.drafts).filter(([key]) => !key.startsWith("edit"));
    if (!draft || !this.open) return;
    const go = () =>
      this.attempt(async () => {
        row.remove();
        const view = slot && (this.views.get(slot) ?? (await this.#fetch(slot)));
        if (view) view.reply();
        else this.way.firstChild.click();
      });
    const drop = () => (row.remove(), this.keepDraft(slot), this.section.focus());
    const words = h("q", { dir: "auto" }, [...draft.text].slice(0, 80).join(""));
    const row = notice("", "pen", this.t("draftFound", { when: this.words.ago(draft.at) }), words, button("ln", go, this.t("goOn")), button("", drop, this.t("drop")));
    this.apart.prepend(row);
  }

  // ---- taking part ----

  async dialog(name, ...rest) {
    return (await import("./dialogs.js"))[name](this, ...rest);
  }

  reacted(id, kind) {
    return this.store.get("reacted")?.[id]?.includes(kind);
  }

  /** Agrees, or takes it back. */
  react(view, kind) {
    return this.attempt(async () => {
      if (!(await this.api.token()) && !(await this.dialog("askName"))) return;
      const { id } = view.comment;
      const { reactions, mine } = await this.api.write(this.reacted(id, kind) ? "DELETE" : "PUT", `${this.path(id)}/reactions/${kind}`);
      this.store.set("reacted", { ...this.store.get("reacted"), [id]: mine });
      view.paint({ ...view.comment, reactions });
      view.article.querySelector(`.${kind}`).focus();
    });
  }

  async share({ id, permalink }) {
    const url = safeUrl(permalink) || `${this.about().url}#comment-${id}`;
    this.toast(await navigator.clipboard.writeText(url).then(() => this.t("copied"), () => url));
  }

  /** Hides an author's comments in this browser. */
  ignore({ id }) {
    this.store.set("ignored", (this.ignored = [...this.ignored, id]));
    for (const view of this.views.values()) if (view.comment.author?.id === id) view.paint();
  }

  // ---- news ----

  #listen() {
    const { signal } = this.#end;
    const on = (target, name, act) => target.addEventListener(name, act, { signal });
    on(document, "visibilitychange", () => this.refresh());
    on(window, "pageshow", ({ persisted }) => persisted && this.refresh());
    on(window, "pagehide", () => this.saveDrafts());
    on(window, "hashchange", () => this.#follow());
    on(window, "storage", ({ key }) => key === `${this.store.prefix}me` && this.identified());
  }

  /** Half a minute, give or take, so that readers do not come in step; longer after each failure. */
  #sleep() {
    clearTimeout(this.poll);
    this.poll = setTimeout(() => this.refresh(), 2e4 * 2 ** Math.min(4, this.#failures) * (1 + Math.random()));
  }

  /** Asks for news, unless nobody looks. */
  async refresh() {
    clearTimeout(this.poll);
    if (document.hidden || this.#end.signal.aborted) return;
    this.#failures += 1;
    await this.#read().then((thread) => this.#news(thread), () => {});
    this.#sleep();
  }

  #news({ article, comments, featured }) {
    this.#failures = 0;
    for (const time of this.root.querySelectorAll("time")) fill(time, this.words.ago(time.dateTime));
    const { version, state, seen } = { ...this.article, seen: this.seen };
    if (article.version === version) return;
    for (const comment of [...featured, ...comments]) this.#merge(comment);
    const n = article.count - seen;
    this.#take(article, Math.min(seen, article.count));
    if (article.state !== state) this.saveDrafts(), this.#invite();
    if (n > 0) fill(this.pill, button("do", () => this.#showNews(), [icon("up"), this.t("new", { n })]));
    if (n > 0) this.say(this.t("new", { n }));
    if ([...this.mine.values()].some(({ status }) => status === "pending")) this.loadMine();
  }

  #showNews() {
    return this.attempt(async () => {
      const { article, comments } = await this.#read(null, "newest");
      this.unmark();
      for (const comment of comments.reverse()) this.#merge(comment, true);
      this.#take(article);
      /** @type {HTMLElement} */ (this.root.querySelector(".here") ?? this.section).focus();
    });
  }

  unmark() {
    for (const old of this.root.querySelectorAll(".here")) old.classList.remove("here");
  }

  /** Brings a comment and its replies up to date in their place; shows those that are missing only when asked. */
  #merge(comment, show = false, above = null) {
    const { id, replies } = comment;
    let view = this.views.get(id);
    if (!view && !show) return;
    if (!view) {
      view = above ? above.place(comment) : this.#place(comment, this.list, true);
      view.article.classList.add("here");
    }
    if (JSON.stringify({ ...view.comment, replies }) !== JSON.stringify(comment)) view.paint(comment);
    for (const reply of replies?.comments ?? []) this.#merge(reply, show, view);
  }

  // ---- permalinks ----

  /** Goes to the comment that the address names. */
  async #follow() {
    const [, id] = location.hash.match(/^#comment-(.+)/) ?? [];
    if (!id) return;
    const view = this.views.get(id) ?? (await this.#fetch(id).catch(() => null));
    if (view) view.reveal();
    else this.toast(this.t("notHere"));
  }

  /** Loads a comment that is not on the page, with those it answers. */
  async #fetch(id) {
    const { comment, context } = await this.api.read(this.path(id));
    let above = null;
    for (const one of [...context, comment])
      above = this.views.get(one.id) ?? (above ? above.place(one) : this.#place(one, this.list, true));
    return above;
  }

  // ---- shared ----

  time(time) {
    return h("time", { datetime: time, title: this.words.date(time) }, this.words.ago(time));
  }

  /** Says something to those who listen instead of look. */
  say(words) {
    fill(this.status, words);
  }

  /** Says something to everyone, for a short while. */
  toast(words) {
    const box = h("p.toast.ui", words);
    this.section.append(box);
    this.say(words);
    setTimeout(() => box.remove(), 5000);
  }

  /** Does what may fail, and says so where it does. */
  async attempt(action) {
    try {
      return await action();
    } catch (problem) {
      this.toast((problem.status && problem.message) || this.t(navigator.onLine ? "unreached" : "offline"));
    }
  }

  /** Calls now, and once a second until the call answers false or its element is gone. */
  tick(count, element) {
    if (!count()) return;
    const timer = setInterval(() => (element?.isConnected !== false && count()) || clearInterval(timer), 1000);
  }

  /** Tells the host page. */
  emit(name, detail = {}) {
    return this.host.dispatchEvent(new CustomEvent(`firstword:${name}`, { detail, bubbles: true, cancelable: true }));
  }
}
