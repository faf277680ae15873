// @ts-check
/** The comments of one article: loads them, keeps them true, and moves nothing that is being read. */
import { Api } from "./api.js";
import { Composer, known, ownComment, View } from "./comment.js";
import { button, fill, h, icon, notice } from "./kit.js";

export function mount(host, root, words) {
  const widget = new Widget(host, root, words);
  widget.start();
  return widget;
}

export class Widget {
  /** @type {Map<string, View>} */
  views = new Map();
  /** @type {Map<string, import("./types").Mine>} */
  mine = new Map();
  /** Rows for the reader's eyes only. @type {Map<string, HTMLElement>} */
  own = new Map();
  #end = new AbortController();
  #failures = 0;
  composer = null;
  editor = null;

  /** @param {import("./types").Host} host @param {ShadowRoot} root */
  constructor(host, root, words) {
    this.host = host;
    this.root = root;
    this.words = words;
    this.api = new Api(host);
    this.store = this.api.store;
    this.level = +this.of("heading-level", 2);
    this.limit = +this.of("max-length", 5000);
    this.sort = this.store.get("sort") ?? this.of("sort", "newest");
    this.ignored = this.store.get("ignored") ?? [];
  }

  /** What the host put inside stays in sight until there is something better. */
  async start(again = false) {
    const { host, root } = this;
    const grey = h("div.fw.wait", { role: "status", "aria-label": this.t("loading") }, h("i"), h("i"), h("i"), h("i"));
    fill(root, h("slot"), !host.firstElementChild && grey);
    const thread = await this.read().catch((problem) => this.#failed(problem));
    if (!thread || this.#end.signal.aborted) return;
    this.#paint(thread);
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
    return `/comments/${id}`;
  }

  of(name, usual) {
    return this.host.getAttribute(name) ?? usual;
  }

  about() {
    const url = new URL(this.of("url", location.pathname), location.href).href;
    return { key: this.of("article", url), url, title: this.of("title", document.title) };
  }

  get open() {
    return this.article.state !== "closed";
  }

  get composers() {
    return [this, ...this.views.values()].flatMap(({ composer }) => composer ?? []);
  }

  read(cursor, sort = this.sort) {
    return this.api.read("/comments", { site: this.api.site, article: this.about().key, sort, cursor });
  }

  #failed({ status, message }) {
    const retry = () => this.section ?? this.start(true);
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
    this.list = h("div");
    this.count = h("span.count.num");
    this.status = h("div.vh", { role: "status" });
    this.section = h(
      "section.fw",
      { "aria-labelledby": "title", dir: this.t("dir"), lang: this.words.tag, tabindex: -1 },
      h(`h${this.level}.title`, { id: "title" }, this.t("comments"), " ", this.count),
      [this.prompt, this.apart, this.bar],
      h(`h${this.level + 1}.vh`, this.t("all")),
      [this.picks, this.pill, this.list, this.status],
    );
    this.#show(thread);
    fill(this.root, this.section);
  }

  #show(thread) {
    this.views.clear();
    this.#take(thread.article);
    this.#invite();
    const sort = (order) => button("", () => this.order(order), this.t(order), { "aria-pressed": `${order === this.sort}` });
    const sorts = h("div.sort", { role: "group", "aria-label": this.t("order") }, ["top", "newest", "oldest"].map(sort));
    fill(this.bar, this.seen > 1 && sorts);
    const full = ({ id }) => [...thread.comments, ...thread.featured].find((one) => one.id === id);
    const picks = thread.featured.filter(({ parent }) => !parent).map(full);
    const top = new View(this);
    this.thread = new View(this);
    top.grow({ comments: picks });
    this.thread.grow(thread);
    fill(this.picks, picks[0] && top.sub);
    fill(this.list, this.thread.sub);
    for (const mine of this.mine.values()) this.#showOwn(mine);
  }

  #take(article, seen = article.count) {
    const { count } = (this.article = article);
    this.seen = seen;
    fill(this.pill);
    fill(this.count, count > 0 && this.words.n(count));
    this.emit("count", { count });
  }

  #invite() {
    const { prompt, count } = this.article;
    const open = () => (fill(this.way, (this.composer ??= new Composer(this, {})).form), this.composer.area.focus());
    const writing = this.composer?.form.isConnected && this.composer.form;
    const way = writing || button("open", open, [icon("pen"), this.t(count ? "write" : "first")]);
    this.way = h("div", this.open ? way : notice("", "lock", this.t("closed"), this.t("closedHelp")));
    fill(this.prompt, prompt && h("div.prompt", h("p.ui", this.t("asks")), h(`h${this.level + 1}`, { dir: "auto" }, prompt)), this.way);
  }

  order(sort) {
    this.sort = sort;
    this.store.set("sort", sort);
    return this.attempt(async () => {
      this.saveDrafts();
      this.#show(await this.read());
      this.bar.querySelector("[aria-pressed=true]").focus();
    });
  }

  /** Where that fails they can still read. */
  async identify() {
    await this.api.token(true).catch(() => {});
    this.identified();
    if (this.api.me) await this.loadMine();
  }

  identified() {
    for (const composer of this.composers) composer.refresh();
  }

  signIn() {
    const href = this.of("sign-in");
    const click = (event) => this.emit("sign-in") || event.preventDefault();
    return href && [this.words.pieces("orSignIn", { link: h("a", { href, click }, this.t("signIn")) }), " "];
  }

  loadMine() {
    const query = { site: this.api.site, article: this.article.key };
    const show = ({ comments }) => {
      for (const mine of comments.reverse()) if (!this.store.get(`hide ${mine.id}`)) this.#showOwn(mine);
    };
    return this.api.write("GET", "/me/comments", null, query).then(show, () => {});
  }

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

  took(mine, above) {
    const { id, status } = mine;
    const approved = status === "approved";
    const fresh = approved && !this.views.has(id);
    mine.fresh = true;
    if (fresh) this.#take({ ...this.article, count: this.article.count + 1 }, this.seen + 1);
    if (approved) this.#merge(mine, true, above);
    this.#invite();
    this.unmark();
    this.#showOwn(mine);
    this.#focus(id);
    this.say(this.t(approved ? "published" : status));
    this.emit("posted", { id, status });
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

  withdraw(mine, undo = false) {
    const [method, verb, gone] = undo ? ["POST", "/restoration", null] : ["DELETE", "", "withdrawn"];
    return this.attempt(async () => {
      const answer = await this.api.write(method, this.path(mine.id) + verb);
      const view = this.views.get(mine.id);
      if (view) view.comment.gone = gone;
      this.#showOwn({ ...mine, ...answer, fresh: true });
      this.#focus(mine.id);
    });
  }

  get drafts() {
    return this.store.get(`drafts ${this.article.key}`) ?? {};
  }

  keepDraft(slot, draft) {
    this.store.set(`drafts ${this.article.key}`, { ...this.drafts, [slot]: draft || undefined });
  }

  saveDrafts() {
    for (const composer of this.composers) if (composer.form.isConnected) composer.save();
  }

  /** The focus goes back to what opened the box. */
  closed({ form, above, edit }, sent = false) {
    form.remove();
    if (!above && !edit) this.#invite();
    if (sent) return;
    if (edit) this.#focus(edit.id);
    else (above ? above.article.querySelector(".reply") : this.way.firstChild).focus();
  }

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
    const words = h("q", { dir: "auto" }, draft.text.replace(/^(.{80})..+/su, "$1…"));
    const row = notice("", "pen", this.t("draftFound", { when: this.words.ago(draft.at) }), words, button("ln", go, this.t("goOn")), button("", drop, this.t("drop")));
    this.apart.prepend(row);
  }

  reacted(id, kind) {
    return this.store.get("reacted")?.[id]?.includes(kind);
  }

  react(view, kind) {
    return this.attempt(async () => {
      if (!(await known(this))) return;
      const { id } = view.comment;
      const { reactions, mine } = await this.api.write(this.reacted(id, kind) ? "DELETE" : "PUT", `${this.path(id)}/reactions/${kind}`);
      this.store.set("reacted", { ...this.store.get("reacted"), [id]: mine });
      view.paint({ ...view.comment, reactions });
      view.article.querySelector(`.${kind}`).focus();
    });
  }

  async share({ permalink }) {
    const copied = navigator.clipboard?.writeText(permalink) ?? Promise.reject();
    this.toast(await copied.then(() => this.t("copied"), () => permalink));
  }

  ignore({ id }) {
    this.store.set("ignored", (this.ignored = [...this.ignored, id]));
    for (const view of this.views.values()) if (view.comment.author?.id === id) view.paint();
  }

  #listen() {
    const { signal } = this.#end;
    const on = (target, name, act) => target.addEventListener(name, act, { signal });
    on(document, "visibilitychange", () => this.refresh());
    on(window, "pageshow", ({ persisted }) => persisted && this.refresh());
    on(window, "pagehide", () => this.saveDrafts());
    on(window, "hashchange", () => this.#follow());
    on(window, "storage", ({ key }) => key === `${this.store.prefix}me` && this.identified());
  }

  /** Never in step with other readers; longer after each failure. */
  #sleep() {
    clearTimeout(this.poll);
    this.poll = setTimeout(() => this.refresh(), 2e4 * 2 ** Math.min(4, this.#failures) * (1 + Math.random()));
  }

  /** Asks for news, unless nobody looks. */
  async refresh() {
    clearTimeout(this.poll);
    if (document.hidden || this.#end.signal.aborted) return;
    this.#failures += 1;
    await this.read().then((thread) => this.#news(thread), () => {});
    this.#sleep();
  }

  #news({ article, comments, featured }) {
    this.#failures = 0;
    for (const time of this.root.querySelectorAll("time")) fill(time, this.words.ago(time.dateTime));
    const { seen } = this;
    const { version, state } = this.article;
    if (article.version === version) return;
    for (const comment of [...featured, ...comments]) this.#merge(comment);
    const n = article.count - seen;
    this.#take(article, Math.min(seen, article.count));
    if (article.state !== state) this.saveDrafts(), this.#invite();
    if (n > 0) fill(this.pill, button("do", () => this.#showNews(), [icon("up"), this.t("new", { n })]));
    if (n > 0) this.say(this.t("new", { n }));
    if ([...this.mine.values()].some((mine) => mine.status === "pending")) this.loadMine();
  }

  #showNews() {
    return this.attempt(async () => {
      const { article, comments } = await this.read(null, "newest");
      this.unmark();
      for (const comment of comments.reverse()) this.#merge(comment, true);
      this.#take(article);
      /** @type {HTMLElement} */ (this.root.querySelector(".here") ?? this.section).focus();
    });
  }

  unmark() {
    for (const old of this.root.querySelectorAll(".here")) old.classList.remove("here");
  }

  /** Updates a comment and its replies in place; shows what is missing only when asked. */
  #merge(comment, show = false, above = null) {
    const { id, replies } = comment;
    let view = this.views.get(id);
    if (!view && !show) return;
    if (!view) {
      view = (above ?? this.thread).place(comment, !above);
      view.article.classList.add("here");
    }
    if (JSON.stringify({ ...view.comment, replies }) !== JSON.stringify(comment)) view.paint(comment);
    for (const reply of replies?.comments ?? []) this.#merge(reply, show, view);
    return view;
  }

  async #follow() {
    const [, id] = location.hash.match(/^#comment-(\w+)/) ?? [];
    if (!id) return;
    const view = this.views.get(id) ?? (await this.#fetch(id).catch(() => null));
    if (view) view.reveal();
    else this.toast(this.t("notHere"));
  }

  async #fetch(id) {
    const { comment, context } = await this.api.read(this.path(id));
    return [...context, comment].reduce((above, one) => this.#merge(one, true, above), null);
  }

  say(words) {
    fill(this.status, words);
  }

  toast(words) {
    const box = h("p.toast.ui", words);
    this.section.append(box);
    this.say(words);
    setTimeout(() => box.remove(), 5000);
  }

  async attempt(action) {
    try {
      return await action();
    } catch (problem) {
      if (!("status" in problem)) throw problem;
      this.toast((problem.status && this.t(problem.message)) || this.t(navigator.onLine ? "unreached" : "offline"));
    }
  }

  /** Now, and once a second until it answers false or its element is gone. */
  tick(count, element) {
    if (!count()) return;
    const timer = setInterval(() => (element?.isConnected !== false && count()) || clearInterval(timer), 1000);
  }

  emit(name, detail = {}) {
    return this.host.dispatchEvent(new CustomEvent(`firstword:${name}`, { detail, bubbles: true, cancelable: true }));
  }
}
