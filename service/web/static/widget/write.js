// @ts-check
/**
 * What the reader writes, and what became of it. The box keeps a draft with its idempotency key until the service has
 * answered, so that nothing is lost or sent twice; a comment that is not public says why, in words and never a score.
 */
import { button, fill, h, icon, iconButton, labelled, marked, notice } from "./kit.js";

/**
 * @typedef {import("./comments.js").Widget} Widget
 * @typedef {import("./types").Mine} Mine
 */

/** What each tool puts before and after the selection, or before each of its lines. */
const tools = { bold: ["**", "**"], italic: ["*", "*"], link: ["[", "](https://)"], quote: ["> "], list: ["- "], code: ["`", "`"] };
const letters = new Intl.Segmenter();

/** A key that no one else has; works on plain http too, where crypto.randomUUID does not. */
const randomKey = () => crypto.getRandomValues(new Uint32Array(4)).join("-");

export class Composer {
  name = null;
  bad = null;

  /** @param {Widget} w @param {{above?: import("./comment.js").View, edit?: Mine}} about */
  constructor(w, { above, edit }) {
    this.w = w;
    this.above = above;
    this.edit = edit;
    this.slot = edit ? `edit ${edit.id}` : above?.comment.id ?? "";
    const { text = edit?.text ?? "", key = randomKey(), nudged } = w.drafts[this.slot] ?? {};
    this.key = key;
    this.nudged = nudged;
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
    this.foot = h("div.who");
    this.small = h("p.ui.small");
    const bar = Object.keys(tools).map((tool) => iconButton(tool, () => this.#apply(tool), w.t(`tool.${tool}`)));
    this.form = h(
      "form.composer",
      { submit: (event) => (event.preventDefault(), this.send()) },
      above && h("p.ui.whom", w.words.pieces("replyingTo", { name: h("b", { dir: "auto" }, above.name) })),
      h("div.box", this.area, h("div.tools.ui", { role: "toolbar", "aria-label": w.t("format") }, bar, this.left)),
      [this.says, this.foot, this.small],
    );
    this.#count();
  }

  /** Draws what depends on who the reader is and on what is under way. */
  refresh(wait = "") {
    const { w, edit, above } = this;
    const rules = w.host.getAttribute("rules");
    const kept = !w.store.lasts ? "draftNotKept" : w.drafts[this.slot] && "draftKept";
    this.wait = wait;
    const post = button("do", null, wait || w.t(edit ? "send" : above ? "postReply" : "post"), { "aria-disabled": wait && "true" });
    fill(this.foot, edit ? h("i") : this.#who(), h("div.row", button("", () => this.cancel(), w.t(edit ? "keepOld" : "cancel")), post));
    fill(
      this.small,
      w.article.moderation === "pre" && `${w.t("readFirst")} `,
      kept && `${w.t(kept)} `,
      !w.api.me && w.signIn(),
      rules && h("a", { href: rules }, w.t("rules")),
    );
  }

  #who() {
    const { w } = this;
    const { me } = w.api;
    const value = w.store.get("name");
    this.name ??= h("input.field", { value, dir: "auto", autocomplete: "nickname", maxlength: 60 });
    this.bad ??= h("p.ui.bad", { role: "alert" });
    if (!me) return h("div", labelled(w.t("name"), this.name), this.bad);
    const leave = button("ln", () => (w.api.leave(), this.refresh()), w.t("notYou"));
    return h("p.ui.as", w.words.pieces("as", { name: h("b", { dir: "auto" }, me.author.name) }), " ", !me.from && leave);
  }

  #typed() {
    this.#count();
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.save(), 300);
  }

  /** Keeps the draft now, with its key; an empty one is forgotten. */
  save() {
    clearTimeout(this.saving);
    const { key, nudged } = this;
    const text = this.area.value;
    this.w.keepDraft(this.slot, text.trim() && text !== this.edit?.text && { text, key, at: Date.now(), nudged });
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

  /** Sends what is written, once. With a nudge's token the reader was asked, and wants it as it is. */
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
      const known = (await w.api.token()) || (await w.api.enter(this.name.value.trim()), w.identified());
      const mine = known && (await this.#deliver(text, token));
      this.refresh();
      this.#sent(mine);
    } catch (problem) {
      this.refresh();
      this.#failed(problem, text);
    }
  }

  /** A judged rejection is an answer like another: it is stored, has an id, and says why. */
  async #deliver(text, token) {
    const { w, edit } = this;
    const parent = this.above?.comment.id;
    const body = { site: w.api.site, article: w.about(), parent, text, nudge: !this.nudged, nudge_token: token };
    const [method, path, what] = edit ? ["PATCH", w.path(edit.id), { text, version: edit.version }] : ["POST", "/comments", body];
    return w.api.write(method, path, what, {}, !edit && this.key).catch((problem) => {
      if (problem.code !== "comment-rejected") throw problem;
      return { created_at: Date.now(), version: 1, parent, ...edit, ...problem.body, text, status: "rejected" };
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
    const words = error?.detail ?? message;
    const no = (title, help, again) => this.tell(notice("no", "stop", title, help, again));
    if (code === "nudge") return this.#nudge(body, text);
    if (/name/.test(code + error?.pointer)) return this.#badName(words);
    if (status === 429) return this.#slowDown(body.retry_after ?? 30);
    if (!navigator.onLine) return this.tell(notice("", "cut", w.t("offline"), w.t("offlineDraft")));
    if (!status || status >= 500) return no(w.t("notSent"), w.t("textSafe"), button("ln", () => this.send(), w.t("retry")));
    if (/idempotency/.test(code)) return this.#arrived();
    no(body.until ? w.t("mutedUntil", { when: w.words.date(body.until) }) : w.t("notSent"), words);
  }

  /** The key is taken by an earlier text of this draft: it had arrived, though we never heard. */
  #arrived() {
    const { w } = this;
    this.key = randomKey();
    this.save();
    w.loadMine();
    this.tell(notice("wait", "clock", w.t("arrived"), w.t("arrivedHelp")));
  }

  #badName(words) {
    this.w.api.leave();
    this.refresh();
    fill(this.bad, words);
    this.name.focus();
  }

  /** Says until when, counts down once a second, and is announced once. */
  #slowDown(seconds) {
    const { w } = this;
    const end = Date.now() + seconds * 1000;
    const time = h("b.num");
    const bar = h("progress", { max: seconds, "aria-label": w.t("timeToWait") });
    const box = notice("wait", "clock", w.t("slowDown"), w.words.pieces("slowDownHelp", { time }));
    box.lastChild.append(bar);
    this.tell(box);
    w.tick(() => {
      const left = Math.ceil((end - Date.now()) / 1000);
      if (left <= 0) return this.tell(), this.refresh();
      fill(time, w.words.clock(left));
      bar.value = seconds - left;
      this.refresh(w.t("postIn", { time: w.words.clock(left) }));
      return true;
    });
  }

  /** Asks, once, whether there is another way to say it. */
  #nudge({ spans: [span] = [], reasons = [], nudge_token: token }, text) {
    const { w, area } = this;
    this.nudged = true;
    this.save();
    const words = span ? [...text].slice(...span).join("") : text;
    const start = area.value.indexOf(words);
    const change = () => (this.tell(), area.focus(), area.setSelectionRange(start, start + words.length));
    const question = w.words.pieces("nudge", { words: h("q", h("mark", words)) });
    const box = notice(
      "wait",
      "pen",
      w.t("beforeYouPost"),
      [question, " ", reasons.map(({ sentence }) => w.t(sentence)).join(" "), h("br"), w.t("nudgeOnce")],
      button("do", change, w.t("change")),
      button("or", () => this.send(token), w.t("postAsIs")),
    );
    box.setAttribute("role", "alertdialog");
    box.setAttribute("aria-label", w.t("beforeYouPost"));
    this.tell(box);
  }
}

/** Opens the box to change a comment; the old text stays until the new one is in. */
function change(w, edit, article) {
  w.editor?.form.remove();
  w.editor = new Composer(w, { edit });
  article.after(w.editor.form);
  w.editor.area.focus();
}

/** What its author sees beside a public comment: its state, the time left to change it. */
export function ownState(w, mine) {
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

/** A comment, or a change to one, that only its author sees: it waits, is not published, or was just withdrawn. */
export function ownComment(w, mine) {
  const { id, status, reasons = [], text, public_version: old } = mine;
  const no = status === "rejected";
  if (status === "deleted") return notice("", "tick", w.t("youWithdrew"), "", button("ln", () => w.restore(mine), w.t("undo")));
  const spans = reasons.flatMap((reason) => reason.spans ?? []);
  const sentences = new Set([...reasons.map(({ sentence }) => w.t(sentence)), spans[0] && w.t("marked")]);
  const article = h(`article.comment.own.${status}`, { tabindex: -1, "aria-labelledby": `own-${id}` });
  return fill(
    article,
    h(
      "header.byline",
      h(`h${w.level + 2}`, { id: `own-${id}` }, w.t(old ? "yourChange" : "yourComment")),
      h("span.state", icon(no ? "stop" : "clock"), w.t(status)),
      h("span", w.time(mine.edited_at ?? mine.created_at), ", ", w.t("onlyYou")),
    ),
    h("p.why", { dir: "auto" }, [...sentences].join(" ")),
    h("div.text.raw", { dir: "auto" }, marked(text, spans)),
    h(
      "div.actions",
      button("ln", () => change(w, mine, article), w.t("resubmit")),
      no ? button("", () => w.forget(mine), w.t("unlist")) : button("", () => w.withdraw(mine), w.t("withdraw")),
    ),
  );
}
