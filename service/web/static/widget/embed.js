// @ts-check
/** The loader, the one script that a page names: defines the elements, and fetches the rest when a reader comes near. */

const languages = ["en", "de", "ar", "fr", "lt"];
const from = (path) => new URL(path, import.meta.url).href;

let sheet;
const style = async () => new CSSStyleSheet().replace(await (await fetch(from("widget.css"))).text());

/** The language of an element, where we speak it. */
function languageOf(host) {
  try {
    const [tag] = Intl.getCanonicalLocales(host.closest("[lang]")?.lang || navigator.language);
    return languages.includes(tag.split("-")[0]) ? tag : "en";
  } catch {
    return "en";
  }
}

class Words {
  constructor(tag, texts) {
    this.tag = tag;
    this.texts = { __proto__: null, ...texts };
  }

  n(n, options) {
    return new Intl.NumberFormat(this.tag, options).format(n);
  }

  /** In pieces, so that an element may stand for `{name}`. `{n}` chooses the plural. */
  pieces(key, values = {}) {
    const found = this.texts[key] ?? key;
    const text = found[new Intl.PluralRules(this.tag).select(values.n)] ?? found.other ?? found;
    return text.split(/\{(\w+)\}/).map((piece, i) => {
      const value = i % 2 ? values[piece] : piece;
      return typeof value === "number" ? this.n(value) : value;
    });
  }

  t(key, values) {
    return this.pieces(key, values).join("");
  }

  ago(time) {
    const minutes = (Date.now() - +new Date(time)) / 6e4;
    const [unit, size] = /** @type {any} */ (minutes < 60 ? ["minute", 1] : minutes < 1440 ? ["hour", 60] : ["day", 1440]);
    if (minutes < 1) return this.t("now");
    if (minutes > 1e4) return this.date(time, { dateStyle: "medium" });
    return new Intl.RelativeTimeFormat(this.tag).format(-Math.floor(minutes / size), unit);
  }

  date(time, options = /** @type {any} */ ({ dateStyle: "long", timeStyle: "short" })) {
    return new Intl.DateTimeFormat(this.tag, options).format(new Date(time));
  }

  clock(seconds) {
    return `${this.n(Math.floor(seconds / 60))}:${this.n(Math.floor(seconds % 60), { minimumIntegerDigits: 2 })}`;
  }
}

const observer = new IntersectionObserver(
  (seen) => {
    for (const { isIntersecting, target } of seen) if (isIntersecting) /** @type {Lazy} */ (target).wake();
  },
  { rootMargin: "800px 0px" },
);

class Lazy extends HTMLElement {
  static observedAttributes = ["site", "article", "lang", "token"];
  /** Fetched side by side; the first one mounts. */
  static modules = ["comments", "comment", "kit", "api"];
  #running;
  #turn = 0;
  #waking;
  #callback;

  connectedCallback() {
    this.#adopt();
    if (location.hash.startsWith("#comment-")) this.wake();
    else observer.observe(this);
  }

  disconnectedCallback() {
    observer.unobserve(this);
    this.#running?.stop();
    this.#running = this.#waking = undefined;
    this.#turn += 1;
  }

  attributeChangedCallback(name, old, now) {
    if (old === now || !this.#running) return;
    if (name === "token") return this.#running.identify();
    this.disconnectedCallback();
    this.connectedCallback();
  }

  wake() {
    observer.unobserve(this);
    return (this.#waking ??= this.#start());
  }

  /** Asks for news now. */
  refresh() {
    this.#running?.refresh();
  }

  /** Answers the host's signed token for this reader, or null. @returns {(() => Promise<string | null>) | undefined} */
  get tokenCallback() {
    return this.#callback;
  }

  set tokenCallback(callback) {
    this.#callback = callback;
    this.#running?.identify();
  }

  async #start() {
    const tag = languageOf(this);
    const turn = this.#turn;
    const { modules } = /** @type {typeof Lazy} */ (this.constructor);
    const texts = async () => (await fetch(from(`locales/${tag.split("-")[0]}.json`))).json();
    try {
      const parts = await Promise.all([texts(), (sheet ??= style()), ...modules.map((name) => import(`./${name}.js`))]);
      if (turn !== this.#turn) return;
      const root = this.shadowRoot ?? this.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [parts[1]];
      this.#running = parts[2].mount(this, root, new Words(tag, parts[0]));
    } catch {
      // Out of reach: what the host put inside the element stays, and coming back online tries again.
      this.#waking = sheet = undefined;
      addEventListener("online", () => this.wake(), { once: true });
    }
  }

  /** A property that was set before the element was defined hides the accessor: set it again. */
  #adopt() {
    const self = /** @type {any} */ (this);
    const { tokenCallback } = self;
    delete self.tokenCallback;
    self.tokenCallback = tokenCallback;
  }
}

if (!customElements.get("firstword-comments")) {
  customElements.define("firstword-comments", class extends Lazy {});
  customElements.define(
    "firstword-discussed",
    class extends Lazy {
      static modules = ["discussed", "kit", "api"];
    },
  );
}
