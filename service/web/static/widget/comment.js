// @ts-check
/** One comment: read, answered, written, reported. What is deeper than three levels says whom it answers. */
import { button, fill, h, icon, iconButton, labelled, marked, notice, prose, time } from "./kit.js";

export class View {
  replies = [];
  level = -1;
  folded = false;
  composer = null;

  /** Without a comment it is a thread's own list. @param {import("./comments.js").Widget} w */
  constructor(w, comment, above) {
    this.w = w;
    this.above = above;
    if (above) this.level = above.level + 1;
    this.sub = this.level < 2 && h(comment ? "ol.replies" : "ol.list");
    if (!comment) return;
    this.article = h("article.comment", { tabindex: -1, "aria-labelledby": `by-${comment.id}` });
    this.li = h("li", this.article, this.sub);
    w.views.set(comment.id, this);
    this.paint(comment);
  }

  get name() {
    return this.comment.author?.name ?? this.w.t("nobody");
  }

  /** Redraws this article alone, never its surroundings. */
  paint(comment = this.comment) {
    this.comment = comment;
    const { w, folded } = this;
    const { id, gone, nodes, featured, author } = comment;
    this.ignored = !this.shown && w.ignored.includes(author?.id);
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
    const { id, author, created_at: created, edited_at: edited } = this.comment;
    return h(
      "header.byline",
      h(`h${w.level + 2}`, { id: `by-${id}` }, h("bdi", this.name)),
      author?.badge && h("span.badge", icon("nib"), w.t(`badge.${author.badge}`)),
      this.level > 2 && h("a", { href: `#comment-${above.comment.id}` }, w.words.pieces("inReplyTo", { name: h("bdi", above.name) })),
      h("a", { href: `#comment-${id}` }, time(w.words, created)),
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
      h(
        "span.end",
        w.open && button("reply", () => this.reply(), w.t("reply"), { "aria-label": w.t("replyTo", { name }) }),
        iconButton("link", () => w.share(comment), w.t("copyLink", { name })),
        comment.author?.id !== w.api.me?.author.id && iconButton("flag", () => report(w, this), w.t("reportBy", { name })),
      ),
    );
  }

  #reaction(kind) {
    const { w, comment } = this;
    const n = comment.reactions[kind];
    const words = [icon(kind === "like" ? "up" : "news"), w.t(`react.${kind}`).replace("react.", ""), n > 0 && h("span.num", w.words.n(n))];
    return button(kind, () => w.react(this, kind), words, { "aria-pressed": `${!!w.reacted(comment.id, kind)}` });
  }

  reply() {
    this.composer ??= new Composer(this.w, { above: this });
    this.article.after(this.composer.form);
    this.composer.area.focus();
  }

  /** Shows what is not shown yet; answers the first. */
  grow({ comments = [], next = null } = this.comment.replies ?? {}) {
    const { w, comment } = this;
    const read = () => (comment ? w.api.read(`${w.path(comment.id)}/replies`, { cursor: next }) : w.read(next));
    const load = () => w.attempt(async () => this.grow(await read())?.article.focus({ preventScroll: true }));
    const [first] = comments.flatMap((one) => w.views.get(one.id)?.grow(one.replies) ?? (w.views.has(one.id) ? [] : this.place(one)));
    const shown = () => h("p.ui.num", w.t("shown", { n: w.article.count, shown: w.views.size }));
    this.more?.remove();
    this.more = next && h("li.more", button(comment ? "ln" : "or", load, w.t(comment ? "moreReplies" : "more")), !comment && shown());
    if (next) this.row(this.more);
    return first;
  }

  place(comment, first = false) {
    const view = new View(this.w, comment, this);
    this.row(view.li, first);
    this.replies.push(view);
    view.grow();
    return view;
  }

  row(row, first = false) {
    if (first) this.sub.prepend(row);
    else if (this.sub) this.sub.append(row);
    else this.tail.after(row);
    if (this.more && !first) row.after(this.more);
  }

  get tail() {
    return this.replies.at(-1)?.tail ?? this.li;
  }

  reveal() {
    for (let view = this.above; view; view = view.above) if (view.folded) view.fold(false);
    this.w.unmark();
    this.article.classList.add("here");
    this.article.scrollIntoView();
    this.article.focus({ preventScroll: true });
  }
}

/** The old text stays until the new one is in. */
function change(w, edit, article) {
  w.editor?.form.remove();
  w.editor = new Composer(w, { edit });
  article.after(w.editor.form);
  w.editor.area.focus();
}

function ownState(w, mine) {
  const left = h("span.num");
  const edit = button("ln", () => change(w, mine, w.views.get(mine.id).article), w.t("edit"));
  w.tick(() => {
    const seconds = (Date.parse(mine.edit_until) - Date.now()) / 1000;
    const over = (edit.hidden = left.hidden = !(seconds > 0));
    if (!over) fill(left, w.t("editFor", { time: w.words.clock(seconds) }));
    return !over;
  }, left);
  return [mine.fresh && h("span.state.ok", icon("tick"), w.t("published")), left, edit, button("", () => w.withdraw(mine), w.t("withdraw"))];
}

/** What only its author sees: waiting, rejected, or just withdrawn. */
export function ownComment(w, mine) {
  const { id, status, reasons = [], text, public_version: old } = mine;
  const no = status === "rejected";
  if (status === "deleted") return notice("", "tick", w.t("youWithdrew"), "", button("ln", () => w.withdraw(mine, true), w.t("undo")));
  const spans = reasons.flatMap((reason) => reason.spans ?? []);
  const why = new Set([...reasons.map(({ sentence }) => w.t(sentence)), spans[0] && w.t("marked")]);
  const article = h(`article.comment.own.${status}`, { tabindex: -1, "aria-labelledby": `own-${id}` });
  return fill(
    article,
    h(
      "header.byline",
      h(`h${w.level + 2}`, { id: `own-${id}` }, w.t(old ? "yourChange" : "yourComment")),
      h("span.state", icon(no ? "stop" : "clock"), w.t(status)),
      h("span", time(w.words, mine.edited_at ?? mine.created_at), ", ", w.t("onlyYou")),
    ),
    h("p.why", { dir: "auto" }, [...why].join(" ")),
    h("div.text.raw", { dir: "auto" }, marked(text, spans)),
    h(
      "div.actions",
      !mine.gone && button("ln", () => change(w, mine, article), w.t("resubmit")),
      no ? button("", () => w.forget(mine), w.t("unlist")) : button("", () => w.withdraw(mine), w.t("withdraw")),
    ),
  );
}

const tools = { bold: ["**", "**"], italic: ["*", "*"], link: ["[", "](https://)"], quote: ["> "], list: ["- "], code: ["`", "`"] };
const letters = new Intl.Segmenter();

/** Works on plain http too, where crypto.randomUUID does not. */
const randomKey = () => crypto.getRandomValues(new Uint32Array(4)).join("-");

export class Composer {
  as = null;

  /** @param {import("./comments.js").Widget} w @param {{above?: View, edit?: import("./types").Mine}} about */
  constructor(w, { above, edit }) {
    this.w = w;
    this.above = above;
    this.edit = edit;
    this.slot = edit ? `edit ${edit.id}` : above?.comment.id ?? "";
    const { text = edit?.text ?? "", key = randomKey(), nudged } = w.drafts[this.slot] ?? {};
    this.key = key;
    this.nudged = nudged;
    this.name = h("input.field", { value: w.store.get("name"), dir: "auto", autocomplete: "nickname", maxlength: 60 });
    this.bad = h("p.ui.bad", { role: "alert" });
    this.#build(text);
    this.refresh();
  }

  #build(text) {
    const { w, edit, above } = this;
    const label = w.t(edit ? "yourChange" : above ? "yourReply" : "yourComment");
    const input = () => this.#typed();
    const keydown = (event) => this.#shortcut(event);
    this.area = h("textarea", { dir: "auto", rows: 3, "aria-label": label, input, keydown }, text);
    this.left = h("span.num");
    this.says = h("div");
    this.who = h("div");
    this.post = button("do");
    this.small = h("p.ui.small");
    const cancel = button("", () => this.cancel(), w.t(edit ? "keepOld" : "cancel"));
    const bar = Object.keys(tools).map((tool) => iconButton(tool, () => this.#apply(tool), w.t(`tool.${tool}`)));
    this.form = h(
      "form.composer",
      { submit: (event) => (event.preventDefault(), this.send()) },
      above && h("p.ui.whom", w.words.pieces("replyingTo", { name: h("b", { dir: "auto" }, above.name) })),
      h("div.box", this.area, h("div.tools.ui", { role: "toolbar", "aria-label": w.t("format") }, bar, this.left)),
      [this.says, h("div.who", this.who, h("div.row", cancel, this.post)), this.small],
    );
    this.#count();
  }

  refresh(wait = "") {
    const { w, edit, above } = this;
    const { me } = w.api;
    this.wait = wait;
    fill(this.post, wait || w.t(edit ? "send" : above ? "postReply" : "post"));
    this.post.setAttribute("aria-disabled", `${!!wait}`);
    if (!edit && this.as !== me?.author.name) fill(this.who, this.#who(me));
    this.#print();
  }

  #print() {
    const { w } = this;
    const rules = w.of("rules");
    const kept = !w.store.lasts ? "draftNotKept" : w.drafts[this.slot] && "draftKept";
    fill(
      this.small,
      w.article.moderation === "pre" && `${w.t("readFirst")} `,
      kept && `${w.t(kept)} `,
      !w.api.me && w.signIn(),
      rules && h("a", { href: rules }, w.t("rules")),
    );
  }

  #who(me) {
    const { w } = this;
    this.as = me?.author.name;
    if (!me) return [labelled(w.t("name"), this.name), this.bad];
    const leave = button("ln", () => (w.api.leave(), this.refresh()), w.t("notYou"));
    return h("p.ui.as", w.words.pieces("as", { name: h("b", { dir: "auto" }, me.author.name) }), " ", !me.from && leave);
  }

  #typed() {
    this.#count();
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.save(), 300);
  }

  save() {
    clearTimeout(this.saving);
    const { key, nudged } = this;
    const text = this.area.value;
    this.w.keepDraft(this.slot, text.trim() && text !== this.edit?.text && { text, key, at: Date.now(), nudged });
    this.#print();
  }

  #count() {
    const { w } = this;
    const n = w.limit - [...letters.segment(this.area.value.trim())].length;
    this.over = n < 0;
    fill(this.left, w.t(n < 0 ? "over" : "left", { n: Math.abs(n) }));
    this.left.classList.toggle("near", n < 50);
  }

  /** Letters that are still being composed are not ours to act on. */
  #shortcut(event) {
    const { key, isComposing, ctrlKey, metaKey } = event;
    const tool = { b: "bold", i: "italic" }[key];
    if (isComposing || !(tool || key === "Enter") || !(ctrlKey || metaKey)) return;
    event.preventDefault();
    if (tool) this.#apply(tool);
    else this.send();
  }

  #apply(tool) {
    const [before, after] = tools[tool];
    const { selectionStart: start, selectionEnd: end, value } = this.area;
    const chosen = value.slice(start, end);
    const quote = !value && tool === "quote" && this.above?.article.querySelector(".text").innerText.trim();
    if (quote) return this.insert(`${quote.replace(/^/gm, before)}\n\n`);
    if (!after) return this.insert((/[^\n]$/.test(value.slice(0, start)) ? "\n" : "") + chosen.replace(/^/gm, before));
    this.insert(before + chosen + after);
    if (!chosen) this.area.setSelectionRange(start + before.length, start + before.length);
  }

  /** Types for the reader, so that the browser's undo still works. */
  insert(text) {
    this.area.focus();
    document.execCommand("insertText", false, text);
  }

  cancel() {
    this.save();
    this.tell();
    this.w.closed(this);
  }

  tell(box) {
    fill(this.says, box);
    box?.focus();
  }

  /** With a nudge's token the reader was asked, and wants it as it is. */
  async send(token) {
    const { w } = this;
    const text = this.area.value.trim();
    if (this.wait) return;
    if (!text || this.over) return this.area.focus();
    this.save();
    this.tell();
    this.refresh(w.t("sending"));
    w.say(this.wait);
    try {
      if (!(await w.api.token())) await w.api.enter(this.name.value.trim()).then(() => w.identified());
      const mine = await this.#deliver(text, token);
      this.refresh();
      this.#sent(mine);
    } catch (problem) {
      this.refresh();
      this.#failed(problem, text);
    }
  }

  /** A rejection is an answer like another. */
  async #deliver(text, token) {
    const { w, edit } = this;
    const parent = this.above?.comment.id;
    const body = { site: w.api.site, article: w.about(), parent, text, nudge: !this.nudged, nudge_token: token };
    const [method, path, what] = edit ? ["PATCH", w.path(edit.id), { text, version: edit.version }] : ["POST", "/comments", body];
    return w.api.write(method, path, what, {}, !edit && this.key).catch((problem) => {
      if (problem.code !== "comment-rejected") throw problem;
      return { created_at: new Date().toJSON(), parent, ...edit, ...problem.body, text, status: "rejected" };
    });
  }

  #sent(mine) {
    this.area.value = "";
    this.save();
    this.key = randomKey();
    this.nudged = false;
    this.#count();
    this.w.closed(this, true);
    this.w.took(mine, this.above);
  }

  #failed({ status, code, body, message }, text) {
    const { w } = this;
    const [error] = body.errors ?? [];
    const words = w.t(error?.detail ?? message);
    const no = (title, help, again) => this.tell(notice("no", "stop", title, help, again));
    if (code === "nudge") return this.#nudge(body, text);
    if (status === 409) w.loadMine();
    if (/name/.test(code + error?.pointer)) return this.#badName(words);
    if (status === 429) return this.#slowDown(body.retry_after ?? 30);
    if (!navigator.onLine) return this.tell(notice("", "cut", w.t("offline"), w.t("offlineDraft")));
    if (!status || status >= 500) return no(w.t("notSent"), w.t("textSafe"), button("ln", () => this.send(), w.t("retry")));
    if (/idempotency/.test(code)) return this.#arrived(no);
    no(body.until ? w.t("mutedUntil", { when: w.words.date(body.until) }) : w.t("notSent"), words);
  }

  /** An earlier text of this draft had arrived, though we never heard. */
  #arrived(no) {
    this.key = randomKey();
    this.save();
    no(this.w.t("arrived"), this.w.t("arrivedHelp"));
  }

  #badName(words) {
    this.w.api.leave();
    this.refresh();
    fill(this.bad, words);
    this.name.focus();
  }

  #slowDown(seconds) {
    const { w } = this;
    const end = Date.now() + seconds * 1000;
    const time = h("b.num");
    this.tell(notice("wait", "clock", w.t("slowDown"), w.words.pieces("slowDownHelp", { time })));
    w.tick(() => {
      const left = Math.ceil((end - Date.now()) / 1000);
      if (left <= 0) return this.tell(), this.refresh();
      fill(time, w.words.clock(left));
      this.refresh(w.t("postIn", { time: time.textContent }));
      return true;
    });
  }

  #nudge({ spans: [span] = [], nudge_token: token }, text) {
    const { w, area } = this;
    this.nudged = true;
    this.save();
    const words = span ? [...text].slice(...span).join("") : text;
    const start = area.value.indexOf(words);
    const rephrase = () => (this.tell(), area.focus(), area.setSelectionRange(start, start + words.length));
    const box = notice(
      "wait",
      "pen",
      w.t("beforeYouPost"),
      [w.words.pieces("nudge", { words: h("q", h("mark", words)) }), h("br"), w.t("nudgeOnce")],
      button("do", rephrase, w.t("change")),
      button("or", () => this.send(token), w.t("postAsIs")),
    );
    box.setAttribute("role", "alertdialog");
    box.setAttribute("aria-label", w.t("beforeYouPost"));
    this.tell(box);
  }
}

function ask(w, title, ...children) {
  const close = () => dialog.remove();
  const dialog = h("dialog.dialog", { "aria-labelledby": "asked", close }, h(`h${w.level + 1}`, { id: "asked" }, w.t(title)), children);
  w.section.append(dialog);
  dialog.showModal();
  return dialog;
}

const form = (w, verb, send, ...fields) =>
  h(
    "form.who.one",
    { submit: (event) => (event.preventDefault(), send(event.target)) },
    fields,
    h("div.row", button("", (event) => event.target.closest("dialog").close(), w.t("cancel")), button("do", null, w.t(verb))),
  );

const input = (name, traits) => h("input.field", { name, required: true, dir: "auto", maxlength: 200, ...traits });

function report(w, { comment, name }) {
  const says = h("div");
  const send = (kind) => (sent) => deliver(w, comment, kind, sent, says);
  const door = (kind, inside) =>
    h("details", { name: "door", open: kind === "rules" }, h("summary", h("b", w.t(`${kind}.door`)), h("span.ui", w.t(`${kind}.help`)), icon("down")), inside);
  const rule = (value, i) => h("label", h("input", { type: "radio", name: "reason", value, checked: !i }), w.t(`rule.${value}`));
  const law = (value) => h("option", { value }, w.t(`law.${value}`));
  const rules = h("fieldset.pickone.ui", h("legend.vh", w.t("whichRule")), ["abuse", "personal", "false", "off-topic", "spam", "other"].map(rule));
  const faith = h("div.pickone.ui", h("label", h("input", { type: "checkbox", required: true }), w.t("goodFaith")));
  const fields = [
    labelled(w.t("whichLaw"), h("select.field", { name: "law" }, ["defamation", "threat", "privacy", "copyright", "other"].map(law))),
    labelled(w.t("lawWhy"), h("textarea.field", { name: "note", required: true, dir: "auto", maxlength: 2000 })),
    labelled(w.t("lawName"), input("name", { autocomplete: "name" })),
    labelled(w.t("lawEmail"), input("email", { type: "email", autocomplete: "email" })),
    faith,
  ];
  const by = w.words.pieces("reportOf", { name: h("bdi", name), when: w.words.ago(comment.created_at) });
  const ignore = () => (w.ignore(comment.author), dialog.close());
  const dialog = ask(
    w,
    "reportTitle",
    h("p.ui.small", by),
    h("div.doors", door("rules", form(w, "report", send("rules"), rules)), door("law", form(w, "sendNotice", send("law"), fields))),
    says,
    comment.author && h("p.ui.small", button("ln", ignore, w.t("ignore", { name })), " ", w.t("ignoreHelp")),
  );
}

async function deliver(w, comment, kind, sent, says) {
  const { reason = "illegal", note = "", ...details } = Object.fromEntries(new FormData(sent));
  const dialog = sent.closest("dialog");
  try {
    if (!(await known(w))) return;
    const { id } = await w.api.write("POST", `${w.path(comment.id)}/reports`, { kind, reason, note, details });
    const words = w.t(kind === "law" ? "receipt" : "reportedHelp", { number: id });
    fill(dialog.querySelector(".doors"), notice("ok", "tick", w.t("reported"), words, button("ln", () => dialog.close(), w.t("done"))));
    dialog.querySelector("button").focus();
  } catch ({ message }) {
    fill(says, notice("no", "stop", w.t("notSent"), message || w.t("unreached")));
  }
}

/** Whether the service knows the reader; asks for a name where it does not. */
export async function known(w) {
  if (await w.api.token()) return true;
  const name = input("name", { value: w.store.get("name"), autocomplete: "nickname" });
  const bad = h("p.ui.bad", { role: "alert" });
  const enter = () => w.api.enter(name.value).then(() => dialog.close(), ({ message }) => fill(bad, message || w.t("unreached")));
  const dialog = ask(w, "whoTitle", h("p.ui.small", w.t("whoHelp"), " ", w.signIn()), form(w, "goOnAs", enter, labelled(w.t("name"), name), bad));
  await new Promise((resolve) => dialog.addEventListener("close", resolve));
  w.identified();
  return w.api.me;
}
