// @ts-check
/** What this browser keeps, and the way to the service. */

/** Where storage is blocked, an object stands in. */
class Store {
  lasts = true;
  #memory = {};

  constructor(site) {
    this.prefix = `firstword:${site}:`;
    this.set("probe");
  }

  get(key) {
    try {
      return JSON.parse(this.#memory[key] ?? localStorage[this.prefix + key]);
    } catch {
      return null;
    }
  }

  set(key, value = null) {
    const text = JSON.stringify(value);
    delete this.#memory[key];
    try {
      localStorage[this.prefix + key] = text;
    } catch {
      this.lasts = false;
      this.#memory[key] = text;
    }
  }
}

/** An answer that is not the wanted one; status 0 is no answer at all. */
class Problem extends Error {
  constructor(status, body = {}) {
    super(body.detail ?? body.title ?? "");
    this.status = status;
    this.body = body;
    this.code = body.code ?? "";
  }
}

export class Api {
  #base = import.meta.url.replace(/\/widget\/.*/, "/api/v1");
  #renewing = null;

  /** @param {import("./types").Host} host */
  constructor(host) {
    this.host = host;
    this.site = host.getAttribute("site");
    this.store = new Store(this.site);
  }

  get me() {
    return this.store.get("me");
  }

  leave() {
    this.store.set("me");
  }

  read(path, query) {
    return this.#send("GET", path, query, { cache: "no-cache" });
  }

  /** In the reader's name. A token that ended early is renewed once. */
  async write(method, path, body, query, key) {
    const token = await this.token();
    const headers = { ...(token && { Authorization: `Bearer ${token}` }), ...(key && { "Idempotency-Key": key }) };
    try {
      return await this.#send(method, path, query, { headers }, body);
    } catch (problem) {
      if (problem.status !== 401 || !this.me?.expires) throw problem;
      this.store.set("me", { ...this.me, expires: 0 });
      return this.write(method, path, body, query, key);
    }
  }

  async token(anew = false) {
    const { me } = this;
    const live = me?.expires > Date.now() + 3e4 && me.token;
    if (live && !anew) return live;
    return (this.#renewing ??= this.#renew(me, live).finally(() => (this.#renewing = null)));
  }

  enter(name) {
    this.store.set("name", name);
    return this.#exchange({ name });
  }

  /** Believes the host: signed in, changed, or signed out. */
  async #renew(me, live) {
    const signed = (await this.host.tokenCallback?.()) ?? this.host.getAttribute("token");
    const end = signed?.slice(-32);
    if (signed && end !== me?.from) return this.#exchange({ assertion: signed }, end);
    if (!signed && me?.from) return this.leave();
    if (live || !me?.renewal) return live;
    try {
      return await this.#exchange({ renewal: me.renewal }, me.from);
    } catch (problem) {
      if (this.me?.token !== me.token) return this.me?.token; // another tab was quicker
      if (problem.status < 400 || problem.status > 428) throw problem;
      this.leave();
    }
  }

  async #exchange(proof, from) {
    const answer = await this.#send("POST", "/tokens", {}, {}, { site: this.site, ...proof });
    const { token, expires_at: end, author } = answer;
    this.store.set("me", { token, expires: Date.parse(end), renewal: answer.renewal ?? this.me?.renewal, author, from });
    return token;
  }

  async #send(method, path, query, init, body) {
    const url = new URL(this.#base + path);
    for (const name in query) if (query[name] != null) url.searchParams.set(name, query[name]);
    const headers = { ...init.headers, ...(body && { "Content-Type": "application/json" }) };
    const more = { method, headers, body: body && JSON.stringify(body), credentials: "omit", signal: AbortSignal.timeout(2e4) };
    let response, answer;
    try {
      response = await (this.host.source ?? window).fetch(url.href, { ...init, .../** @type {any} */ (more) });
      answer = await response.json();
    } catch {
      // Whether the service has it is unknown: that is what the idempotency key is for.
      throw new Problem(response?.ok ? 0 : response?.status ?? 0);
    }
    if (answer.challenge) return this.#send(method, path, query, init, { ...body, altcha: await (await import("./proof.js")).prove(answer.challenge) });
    if (!response.ok) throw new Problem(response.status, answer);
    return answer;
  }
}
