// The messages of one channel, or of one thread, as one person sees them: the newest page first, older ones on demand.
import { get } from "./api.js";

const PAGE = 50;

export class Box {
  /** `thread` is its parent's ts, or null; `lastRead` is where the line of new messages stands. */
  constructor(channel, thread, user, lastRead) {
    Object.assign(this, { channel, thread, user, lastRead, messages: new Map(), more: false, loaded: false });
    this.busy = false;
    this.changed = () => {};
  }

  /** The newest page. Whoever shows this is told: `changed(null)`. */
  async load() {
    const answer = await this.ask({ limit: this.thread ? null : PAGE });
    this.messages = new Map(answer.messages.filter((m) => this.holds(m)).map((m) => [m.ts, m]));
    Object.assign(this, { more: answer.more ?? false, loaded: true });
    this.changed(null);
  }

  /** The page before the oldest that is here; gives how many messages it had. */
  async older() {
    if (!this.more || this.busy) return 0;
    this.busy = true;
    try {
      const answer = await this.ask({ limit: PAGE, before: this.times[0] });
      const found = answer.messages.filter((m) => this.holds(m));
      this.messages = new Map([...found.map((m) => [m.ts, m]), ...this.messages]);
      this.more = answer.more;
      return found.length;
    } finally {
      this.busy = false;
    }
  }

  /** Their ts, oldest first. */
  get times() {
    return [...this.messages.keys()].sort();
  }

  /** A message that is new or has changed; one that is older than all that is here stays out. */
  take(message) {
    if (!this.loaded || !this.holds(message)) return;
    if (this.more && !this.messages.has(message.ts) && message.ts < this.times[0]) return;
    this.messages.set(message.ts, message);
    this.changed(message.ts);
  }

  drop(ts) {
    if (this.messages.delete(ts)) this.changed(ts);
  }

  holds({ ts, thread_ts: thread }) {
    return this.thread ? this.thread === ts || this.thread === thread : !thread || thread === ts;
  }

  ask(query) {
    return get("messages", { channel: this.channel, user: this.user, thread_ts: this.thread, ...query });
  }
}
