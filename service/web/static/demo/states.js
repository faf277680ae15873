// @ts-check
/**
 * Draws every state of the widget with the real element: canned answers come through its `source` property, and what
 * a reader would press is pressed. Nothing here is part of the widget.
 */

/** @param {number} minutes */
const ago = (minutes) => new Date(Date.now() - minutes * 60_000).toISOString();
/** @param {string} text */
const p = (text) => ({ t: "p", c: [text] });

let counter = 0;

/** @param {string} name @param {number} minutes @param {string | any[]} words @param {any} [more] @returns {any} */
function comment(name, minutes, words, more = {}) {
  const { replies = [], badge = null, next = null, ...rest } = more;
  const id = rest.id ?? `c${++counter}`;
  return {
    id,
    article: "line-6",
    parent: null,
    depth: 0,
    author: { id: `a-${name}`, name, verified: false, badge },
    nodes: typeof words === "string" ? [p(words)] : words,
    created_at: ago(minutes),
    edited_at: null,
    version: 1,
    featured: false,
    gone: null,
    reactions: {},
    permalink: `https://courier.example/line-6#comment-${id}`,
    replies: { count: replies.length, comments: replies.map((/** @type {any} */ one) => ({ ...one, parent: id })), next },
    ...rest,
  };
}

const article = {
  key: "line-6",
  url: "https://courier.example/line-6",
  title: "Line 6 will reach the hospital at last",
  prompt: "Should the trams have Mill Street to themselves?",
  state: "open",
  moderation: "post",
  count: 0,
  version: 1,
  reactions: ["like", "new"],
};

const conversation = () => ({
  article: { ...article, count: 46 },
  featured: [
    comment("Halima Osei", 120, "I drove line 6 for twelve years. The eight minutes from Tollgate are not eight minutes with a walking frame, in February, against the wind off the canal. I held the doors for the same woman every Thursday and watched her set off. No timetable counts that.", { featured: true, reactions: { like: 131, new: 64 } }),
  ],
  comments: [
    comment("Piotr Lang", 54, "I have the tile shop’s problem with a bakery. Flour comes at five in the morning, when there is not a tram in sight. Let vans use the lane until six, and half of those 44 names are gone.", {
      reactions: { like: 87, new: 23 },
      replies: [
        comment("Jonas Rehn", 41, "That was amendment 14. It fell by two votes, because the track is to be grassed from Tollgate up to the hospital. I have asked the operator whether the paved stretch at the lower end could take vans, and will put the answer here.", {
          badge: "author",
          edited_at: ago(30),
          reactions: { like: 58, new: 71 },
          replies: [
            comment("Ada Brandt", 33, [{ t: "blockquote", c: [p("the paved stretch at the lower end")] }, p("Thank you. That is where nearly all the loading bays are, so it would settle most of it.")], {
              reactions: { like: 12 },
              replies: [comment("Piotr Lang", 20, "Nineteen of them. I counted from the van.", { reactions: { like: 9, new: 4 } })],
            }),
          ],
        }),
        comment("", 40, [], { gone: "withdrawn", author: null, replies: [comment("Greta Solheim", 28, "Fair enough, I had the year wrong. It was 2000 when the line last grew.", { reactions: { like: 3 } })] }),
      ],
    }),
    comment("سلمى الحداد", 60, "أعمل ممرضة في المستشفى وأصل كل صباح بعد تبديل حافلتين. خط الترام رقم 6 سيوفر عليّ أربعين دقيقة في اليوم.", { reactions: { like: 44, new: 18 } }),
    comment("Tomasz W.", 75, [{ t: "p", c: ["Two numbers, ", { t: "strong", c: ["both from the budget"] }, " (", { t: "a", href: "https://courier.example/budget", c: ["page 12"] }, "):"] }, { t: "ul", c: [{ t: "li", c: ["118 million for the track"] }, { t: "li", c: ["4 million for the stops"] }] }, { t: "pre", c: [{ t: "code", c: ["118 / 2.4 = 49 million a kilometre"] }] }], {
      replies: [comment("Bo Lindgren", 10, "And two thirds of it from the national fund.", { badge: "staff" })],
    }),
    comment("", 90, [], { gone: "removed", author: null }),
  ],
  next: "more",
});

const me = { token: "t", expires_at: ago(-60), renewal: "r", author: { id: "a-me", name: "Ines Moreau", verified: false, badge: null } };
const foul = "The committee has done its sums. Vance should stop whining, the man is an idiot with a forklift. Sell smaller tiles.";
const attack = { code: "engine.toxicity", sentence: "Your comment may attack somebody. A moderator reads it first.", spans: [[60, 95]] };

/** @param {string} status @param {any} [more] */
const mine = (status, more = {}) => ({
  ...comment("Ines Moreau", 6, more.text ?? foul),
  author: me.author,
  status,
  text: foul,
  edit_until: null,
  public_version: null,
  reasons: status === "approved" ? [] : [attack],
  mine: [],
  ...more,
});

/** @param {number} status @param {any} body */
const json = (status, body) => new Response(JSON.stringify(body), { status, headers: { "Content-Type": "application/json" } });
/** @param {number} status @param {string} code @param {any} [more] */
const problem = (status, code, more = {}) => json(status, { type: "about:blank", title: code, status, code, detail: "", ...more });

/**
 * A stand-in for the network: `"POST /comments"` and the like, each an answer or a function that makes one.
 *
 * @param {Record<string, any>} answers
 */
const source = (answers) => ({
  async fetch(/** @type {string} */ url, /** @type {RequestInit} */ init) {
    const path = new URL(url).pathname.replace(/^.*\/api\/v1/, "").replace(/\/comments\/[^/]+/, "/comments/ID");
    const answer = answers[`${init.method} ${path}`] ?? usual[`${init.method} ${path}`];
    if (!answer) return problem(404, "not-found");
    return typeof answer === "function" ? answer(init) : json(200, answer);
  },
});

/** @type {Record<string, any>} */
const usual = {
  "GET /comments": { article, featured: [], comments: [], next: null },
  "GET /me/comments": { comments: [], next: null },
  "POST /tokens": () => json(201, me),
  "POST /comments/ID/reports": () => json(201, { id: "2026-0417" }),
};

/**
 * Does something while a property of the browser answers otherwise.
 *
 * @param {object} owner @param {string} name @param {() => unknown} get @param {() => Promise<void>} act
 */
async function meanwhile(owner, name, get, act) {
  const usual = Object.getOwnPropertyDescriptor(owner, name);
  Object.defineProperty(owner, name, { get, configurable: true });
  await act();
  await pause();
  if (usual) Object.defineProperty(owner, name, usual);
  else Reflect.deleteProperty(owner, name);
}

const block = () => {
  throw new DOMException("blocked", "SecurityError");
};

const pause = () => new Promise((resolve) => setTimeout(resolve, 30));

/** @param {any} element @param {string} selector */
async function find(element, selector) {
  for (let tries = 0; tries < 200; tries += 1) {
    const found = element.shadowRoot?.querySelector(selector);
    if (found) return found;
    await pause();
  }
  throw new Error(`${element.getAttribute("site")}: no ${selector}`);
}

/** @param {any} element @param {string} selector */
const press = async (element, selector) => (await find(element, selector)).click();

/** @param {any} element @param {string} text */
async function write(element, text) {
  const area = await find(element, "textarea");
  area.value = text;
  area.dispatchEvent(new InputEvent("input", { bubbles: true }));
}

/** @param {any} element @param {string} text @param {string} [name] */
async function post(element, text, name = "Ines Moreau") {
  await press(element, ".open");
  await write(element, text);
  const field = element.shadowRoot.querySelector("input.field");
  if (field) field.value = name;
  await press(element, ".do");
}

const short = "My father cannot walk from Tollgate any more. Forty years he worked at St Brigid’s, and now he is driven past his own stop.";
const one = () => ({ article: { ...article, prompt: "", count: 1 }, featured: [], comments: [comment("Tomasz W.", 60, "Sell smaller tiles.")], next: null });

/** @typedef {{name: string, note?: string, answers?: any, signed?: boolean, drafts?: any, act?: (element: any) => Promise<void>, lang?: string, theme?: string, inside?: string, plain?: boolean, blocked?: boolean, alone?: boolean, attributes?: any}} State */

/** @type {State[]} */
const states = [
  { name: "In use", answers: { "GET /comments": conversation() } },
  { name: "No comments yet", note: "The question leads; the box invites." },
  { name: "Composer, open", note: "As a guest.", attributes: { rules: "#rules", "sign-in": "#sign-in" }, act: async (e) => (await press(e, ".open"), await write(e, short), (await find(e, "input.field")).value = "Ines Moreau") },
  { name: "Reply, near the limit", note: "Signed in.", signed: true, attributes: { "max-length": "68" }, answers: { "GET /comments": one() }, act: async (e) => (await press(e, ".reply"), write(e, "Nineteen bays, and eleven of them are used before seven.")) },
  { name: "A nudge to reconsider", note: "Once, before anything is stored.", signed: true, answers: { "POST /comments": () => problem(409, "nudge", { spans: [[60, 95]], nudge_token: "n", reasons: [] }) }, act: (e) => post(e, foul) },
  { name: "Sending", signed: true, answers: { "POST /comments": () => new Promise(() => {}) }, act: (e) => post(e, short) },
  { name: "Published", note: "The edit window shows its time.", signed: true, answers: { "POST /comments": () => json(201, mine("approved", { nodes: [p(short)], text: short, edit_until: ago(-4.6), public_version: 1 })) }, act: (e) => post(e, short) },
  { name: "Waiting for a moderator", signed: true, answers: { "GET /me/comments": { comments: [mine("pending")], next: null } } },
  { name: "Waiting, being edited", note: "The old text stays until the new one is in.", signed: true, answers: { "GET /me/comments": { comments: [mine("pending")], next: null } }, act: (e) => press(e, ".own .ln") },
  { name: "Not published", note: "Two reasons that overlap.", signed: true, answers: { "GET /me/comments": { comments: [mine("rejected", { reasons: [attack, { code: "moderator", sentence: "It attacks a person rather than what the person said.", spans: [[72, 80]] }] })], next: null } } },
  { name: "Withdrawn, can be undone", signed: true, answers: { "GET /me/comments": { comments: [mine("pending")], next: null }, "DELETE /comments/ID": () => json(200, { status: "deleted" }) }, act: (e) => press(e, ".own .actions .button:last-child") },
  { name: "Not sent", signed: true, answers: { "POST /comments": () => Promise.reject(new TypeError("no network")) }, act: (e) => post(e, short) },
  { name: "Name refused", answers: { "POST /tokens": () => problem(400, "name-unfit", { detail: "This name looks like the name of a member of staff.", errors: [{ pointer: "/name", detail: "This name looks like the name of a member of staff." }] }) }, act: (e) => post(e, short, "Jonas Rеhn") },
  { name: "Too fast", note: "Counts down once a second, is announced once.", signed: true, answers: { "POST /comments": () => problem(429, "limited", { retry_after: 42 }) }, act: (e) => post(e, short) },
  { name: "Offline", note: "The network went away while sending.", signed: true, answers: { "POST /comments": () => Promise.reject(new TypeError("no network")) }, act: (e) => meanwhile(navigator, "onLine", () => false, () => post(e, short)) },
  { name: "Storage blocked", note: "What is kept is lost with the page.", answers: {}, blocked: true, act: (e) => press(e, ".open") },
  { name: "Signed out", note: "The host has a sign-in of its own.", attributes: { "sign-in": "#sign-in" }, act: (e) => press(e, ".open") },
  { name: "Draft found", signed: true, drafts: { "": { text: short, key: "k", at: Date.now() - 864e5 } }, answers: { "GET /comments": one() } },
  { name: "No automatic check", note: "The engine is down: to a person, never through.", signed: true, answers: { "GET /me/comments": { comments: [mine("pending", { text: short, reasons: [{ code: "engine.failed", sentence: "Our check did not work just now, so a moderator reads your comment first.", spans: [] }] })], next: null } } },
  { name: "Read before publication", answers: { "GET /comments": { article: { ...article, moderation: "pre" }, featured: [], comments: [], next: null } }, act: (e) => press(e, ".open") },
  { name: "Closed", answers: { "GET /comments": { ...one(), article: { ...one().article, count: 212, state: "closed" } } } },
  { name: "Muted", signed: true, answers: { "POST /comments": () => problem(403, "author-barred", { detail: "Three comments in a week attacked other readers.", until: ago(-4000) }) }, act: (e) => post(e, short) },
  { name: "Loading", note: "Still grey lines, no shimmer.", answers: { "GET /comments": () => new Promise(() => {}) } },
  { name: "Failed", answers: { "GET /comments": () => problem(503, "unavailable") } },
  { name: "Service down, fragment stays", answers: { "GET /comments": () => Promise.reject(new TypeError("no network")) }, inside: "What the host’s server put inside the element stays in sight." },
  { name: "New comments", note: "They wait behind a button.", answers: growing() , act: async (e) => (await find(e, ".list li"), await pause(), e.refresh()) },
  { name: "Folded, ignored", answers: { "GET /comments": conversation() }, act: async (e) => (await press(e, ".fold"), await press(e, ".list > li:nth-child(2) [aria-label^=Report]"), await press(e, ".dialog > p .ln")) },
  { name: "Report", note: "Two doors. The first is quick.", alone: true, answers: { "GET /comments": one() }, act: (e) => press(e, "[aria-label^=Report]") },
  { name: "Report, under the law", note: "Where, which, why, who, in good faith.", alone: true, answers: { "GET /comments": one() }, act: async (e) => (await press(e, "[aria-label^=Report]"), press(e, "details:last-of-type summary")) },
  { name: "Read next", note: "A second element." },
  { name: "Right to left", lang: "ar", answers: { "GET /comments": { ...conversation(), article: { ...article, count: 46, prompt: "هل ينبغي أن يكون شارع الطاحونة للترام وحده؟" }, next: null } } },
  { name: "German", lang: "de", signed: true, answers: { "GET /comments": one(), "GET /me/comments": { comments: [mine("pending")], next: null } }, act: (e) => press(e, ".open") },
  { name: "French", lang: "fr", signed: true, answers: { "GET /comments": one(), "GET /me/comments": { comments: [mine("pending")], next: null } } },
  { name: "Lithuanian", lang: "lt", signed: true, answers: { "GET /comments": one(), "GET /me/comments": { comments: [mine("pending")], next: null } } },
  { name: "Nothing set by the host", plain: true, answers: { "GET /comments": one() } },
];

/** First one comment, then three. */
function growing() {
  let asked = 0;
  return {
    "GET /comments": () => {
      const thread = one();
      asked += 1;
      if (asked > 1) Object.assign(thread.article, { count: 4, version: 2 });
      return json(200, thread);
    },
  };
}

const discussed = {
  articles: [
    ["Parking stays free on Sundays after a night of protest", "Politics", 318, 300],
    ["The last bookbinder in Weavers’ Yard hands over her keys", "Business", 204, 1500],
    ["Should the school day start at nine? Three heads reply", "Education", 187, 1900],
    ["Canal pool opens a month early, and colder", "Local", 92, 400],
    ["Our critic on the new Hamlet: too many candles", "Arts", 61, 20000],
  ].map(([title, section, count, minutes], i) => ({ key: `${i}`, url: `https://courier.example/${i}`, title, section, count, last_at: ago(Number(minutes)) })),
};

/** Lays a state out; answers its element. @param {State} state @param {number} i */
function lay(state, i) {
  const site = `demo-${i}`;
  for (const key of Object.keys(localStorage)) if (key.startsWith(`firstword:${site}:`)) delete localStorage[key];
  if (state.signed) localStorage[`firstword:${site}:me`] = JSON.stringify({ token: "t", expires: Date.now() + 36e5, renewal: "r", author: me.author });
  if (state.drafts) localStorage[`firstword:${site}:drafts line-6`] = JSON.stringify(state.drafts);
  const next = state.name === "Read next";
  const element = /** @type {any} */ (document.createElement(next ? "firstword-discussed" : "firstword-comments"));
  element.source = source({ "GET /discussed": discussed, ...state.answers });
  for (const [name, value] of Object.entries({ site, article: "line-6", url: "/line-6", ...state.attributes })) element.setAttribute(name, value);
  if (state.lang) element.lang = state.lang;
  if (state.inside) element.append(Object.assign(document.createElement("p"), { textContent: state.inside }));
  const section = document.createElement("section");
  const title = document.createElement("h2");
  const paper = document.createElement("div");
  section.className = `specimen ${state.plain ? "plain" : ""}`;
  section.id = slug(state.name);
  title.append(state.name, Object.assign(document.createElement("small"), { textContent: state.note ?? "" }));
  paper.className = "paper";
  paper.append(element);
  section.append(title, paper);
  document.getElementById("states")?.append(section);
  return element;
}

/** Starts a state and presses what a reader would. @param {State} state @param {any} element */
async function play(state, element) {
  await element.wake();
  await state.act?.(element);
  await pause();
}

/** @param {string} name */
const slug = (name) => name.toLowerCase().replace(/[^a-z]+/g, "-");

/** Lets the colours or the host be chosen, by its buttons or by the address (?theme=dark&host=globe). @param {string} name */
function dress(name) {
  const group = /** @type {HTMLElement} */ (document.getElementById(name));
  const buttons = [...group.querySelectorAll("button")];
  /** @param {string | null | undefined} value */
  const wear = (value) => {
    const chosen = buttons.find((button) => button.dataset[name] === value) ?? buttons[0];
    document.documentElement.dataset[name] = chosen.dataset[name];
    for (const button of buttons) button.setAttribute("aria-pressed", `${button === chosen}`);
  };
  group.addEventListener("click", ({ target }) => wear(/** @type {HTMLElement} */ (target).dataset[name] ?? document.documentElement.dataset[name]));
  wear(new URLSearchParams(location.search).get(name));
}

/** Only the state that the address asks for (?state=closed), or all; a dialog is shown only by itself. */
const wanted = new URLSearchParams(location.search).get("state");
for (const name of ["theme", "host"]) dress(name);
await customElements.whenDefined("firstword-comments");
for (const [i, state] of states.entries()) {
  if (wanted && slug(state.name) !== wanted) continue;
  const element = lay(state, i);
  if (state.alone && !wanted) {
    const link = Object.assign(document.createElement("a"), { href: `?state=${slug(state.name)}`, textContent: "Open it by itself" });
    element.replaceWith(link);
  } else if (state.blocked) await meanwhile(window, "localStorage", block, () => play(state, element));
  else await play(state, element);
}
scrollTo(0, 0);
document.documentElement.dataset.drawn = "yes";
