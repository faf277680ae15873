// @ts-check
/**
 * The loader, the one script that a page names. It defines the elements and fetches what they need only when a reader
 * comes near, or at once when the address names a comment. Scripts, texts and style come side by side.
 */

const languages = ["en", "de", "ar", "fr", "lt"];

/** @param {string} path */
const from = (path) => new URL(path, import.meta.url).href;

/** @type {Promise<CSSStyleSheet> | undefined} */
let sheet;
const style = () =>
  (sheet ??= fetch(from("widget.css"))
    .then((answer) => answer.text())
    .then((text) => new CSSStyleSheet().replace(text)));

/** The language that applies to an element, where we speak it. @param {HTMLElement} host */
function languageOf(host) {
  const said = host.closest("[lang]")?.getAttribute("lang") || navigator.language;
  try {
    const [tag] = Intl.getCanonicalLocales(said.replace("_", "-"));
    return languages.includes(tag.split("-")[0]) ? tag : "en";
  } catch {
    return "en";
  }
}

const observer = new IntersectionObserver(
  (entries) => {
    for (const { isIntersecting, target } of entries) if (isIntersecting) /** @type {Lazy} */ (target).wake();
  },
  { rootMargin: "800px 0px" },
);

class Lazy extends HTMLElement {
  static observedAttributes = ["site", "article", "lang", "token"];
  /** Named here so that they are fetched side by side; the first one mounts. @type {string[]} */
  static modules = [];
  /** @type {any} */
  #running;
  /** @type {Promise<void> | undefined} */
  #waking;
  /** @type {(() => Promise<string | null>) | undefined} */
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
  }

  /** @param {string} name @param {string | null} old @param {string | null} now */
  attributeChangedCallback(name, old, now) {
    if (old === now || !this.#running) return;
    if (name === "token") return this.#running.identify();
    this.disconnectedCallback();
    this.connectedCallback();
  }

  /** Starts at once, without waiting for the reader to come near. */
  wake() {
    observer.unobserve(this);
    return (this.#waking ??= this.#start());
  }

  /** Asks the service for news now. */
  refresh() {
    this.#running?.refresh();
  }

  /** An async function that answers the host's signed token for this reader, or null. */
  get tokenCallback() {
    return this.#callback;
  }

  set tokenCallback(callback) {
    this.#callback = callback;
    this.#running?.identify();
  }

  async #start() {
    const tag = languageOf(this);
    try {
      const [modules, texts, css] = await Promise.all([
        Promise.all(/** @type {typeof Lazy} */ (this.constructor).modules.map((name) => import(`./${name}.js`))),
        fetch(from(`locales/${tag.split("-")[0]}.json`)).then((answer) => answer.json()),
        style(),
      ]);
      if (this.#waking && this.isConnected) this.#running = modules[0].mount(this, tag, texts, css);
    } catch {
      // The service is out of reach: what the host put inside the element stays, and coming back online tries again.
      this.#waking = sheet = undefined;
      addEventListener("online", () => this.wake(), { once: true });
    }
  }

  /** A property that was set before the element was defined hides the accessor: set it again. */
  #adopt() {
    if (!Object.hasOwn(this, "tokenCallback")) return;
    const callback = this.tokenCallback;
    Reflect.deleteProperty(this, "tokenCallback");
    this.tokenCallback = callback;
  }
}

if (!customElements.get("firstword-comments")) {
  const comments = class extends Lazy {
    static modules = ["comments", "comment", "write", "kit", "api"];
  };
  const discussed = class extends Lazy {
    static modules = ["discussed", "kit", "api"];
  };
  customElements.define("firstword-comments", comments);
  customElements.define("firstword-discussed", discussed);
}
