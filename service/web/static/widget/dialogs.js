// @ts-check
/** What is asked in a dialog: a report, by one of two doors, and a name. Fetched when first needed. */
import { button, fill, h, icon, labelled, notice } from "./kit.js";

/** The browser keeps the focus inside and gives it back. */
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

/** Reports a comment: against the rules of the house, in two clicks, or under the law, with a receipt. */
export function report(w, { comment, name }) {
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
    const { id } = await w.api.write("POST", `${w.path(comment.id)}/reports`, { kind, reason, note, details });
    const words = w.t(kind === "law" ? "receipt" : "reportedHelp", { number: id });
    fill(dialog.querySelector(".doors"), notice("ok", "tick", w.t("reported"), words, button("ln", () => dialog.close(), w.t("done"))));
    dialog.querySelector("button").focus();
  } catch ({ status, message }) {
    if (status === 401 && (await askName(w))) return deliver(w, comment, kind, sent, says);
    fill(says, notice("no", "stop", w.t("notSent"), message || w.t("unreached")));
  }
}

/** Asks a reader who takes part without writing for a name. Answers whether the service now knows them. */
export function askName(w) {
  const name = input("name", { value: w.store.get("name"), autocomplete: "nickname" });
  const bad = h("p.ui.bad", { role: "alert" });
  const enter = () => w.api.enter(name.value).then(() => dialog.close(), ({ message }) => fill(bad, message || w.t("unreached")));
  const dialog = ask(w, "whoTitle", h("p.ui.small", w.t("whoHelp"), " ", w.signIn()), form(w, "goOnAs", enter, labelled(w.t("name"), name), bad));
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(w.api.me && w.identified())));
}
