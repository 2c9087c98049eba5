// What the stand-in has told this page. It is loaded anew whenever the stream of events (re)starts.
import { get, post } from "./api.js";
import { Box } from "./box.js";

export const store = {
  team: null, bot: null, users: new Map(), channels: new Map(), usergroups: new Map(),
  reads: {}, me: null, stack: [], home: null, log: new Map(), panes: new Map(),
  channel: null, thread: null, online: true,
};
const listeners = new Map();
let source = null;
let again = 0;
const AGAIN = 1000; // milliseconds until a lost connection is tried anew
let loading = 0;
let meanwhile = [];

/** Hear of a change: team, reads, stack, home, log, panes, online, view_failed. */
export function on(kind, listener) {
  listeners.set(kind, [...(listeners.get(kind) ?? []), listener]);
}
export function tell(kind, data) {
  for (const listener of listeners.get(kind) ?? []) listener(data);
}

/** The people, channels and groups; the first thing that is needed. */
export async function loadTeam(user) {
  const state = await get("state", { user });
  for (const kind of ["users", "channels", "usergroups"])
    store[kind] = new Map(state[kind].map((one) => [one.id, one]));
  Object.assign(store, { team: state.team, bot: state.bot, reads: state.reads ?? store.reads });
  if (store.me) store.me = store.users.get(store.me.id);
  tell("team");
}

/** Become this person: everything is loaded as they see it, and kept up to date. */
export function become(user) {
  Object.assign(store, { me: user, stack: [], home: null, reads: {}, channel: null, thread: null });
  tell("stack");
  hear(user);
}

/**
 * A WebSocket, because a browser holds six connections of HTTP to one place, all its tabs together: with a
 * stream of events in each of them the sixth tab, or a press in any, would wait for ever.
 */
function hear(user) {
  clearTimeout(again);
  const old = source;
  source = null;
  old?.close();
  const now = (source = new WebSocket(`ws://${location.host}/sandbox/events?${new URLSearchParams({ user: user.id })}`));
  now.onmessage = ({ data }) => {
    const { kind, data: told } = JSON.parse(data);
    if (now === source) take(kind, told);
  };
  now.onclose = () => {
    if (now !== source) return;
    setOnline(false);
    again = setTimeout(() => hear(user), AGAIN);
  };
}

/** Look into a channel, or into a thread of it; null looks away. */
export function open(what, channel, thread = null) {
  const now = store[what];
  if (now && now.channel === channel && now.thread === thread && now.user === store.me?.id) return now;
  store[what] = channel ? new Box(channel, thread, store.me.id, store.reads[channel]?.last_read ?? "") : null;
  if (channel) load(() => store[what]?.load());
  return store[what];
}

/** A person has read a channel up to `ts`. */
export function markRead(channel, ts) {
  const read = store.reads[channel];
  if (!read || ts <= read.last_read) return;
  Object.assign(read, { last_read: ts, unread: 0, mentions: 0 });
  tell("reads");
  post("read", { user: store.me.id, channel, ts }).catch(() => {});
}

const HEARD = {
  hello: () => reload(),
  reset: () => location.reload(),
  team: () => load(() => loadTeam(store.me.id)),
  stack: ({ stack }) => set("stack", stack),
  home: ({ home }) => set("home", home),
  view_failed: (data) => tell("view_failed", data),
  read: ({ channel, ts }) => hasRead(channel, ts),
  log: (line) => {
    store.log.set(line.n, line);
    tell("log", line);
  },
  pane: ({ name, ...line }) => {
    const known = store.panes.get(name) ?? [];
    if (known.at(-1)?.at >= line.at) return; // it came with the answer as well
    store.panes.set(name, [...known, line].slice(-300));
    tell("panes", name);
  },
  gone: ({ channel, ts }) => boxes(channel).forEach((box) => box.drop(ts)),
  message: ({ channel, message }) => takeMessage(channel, message),
};

function take(kind, data) {
  if (loading) meanwhile.push([kind, data]);
  HEARD[kind]?.(data);
}

/** What is told while an answer is on its way may be older or newer than the answer: it is applied again after. */
async function load(work) {
  loading += 1;
  try {
    await work();
    for (const [kind, data] of meanwhile) if (!["hello", "team", "reset"].includes(kind)) HEARD[kind](data);
  } catch (error) {
    console.warn(error);
  } finally {
    loading -= 1;
    if (!loading) meanwhile = [];
  }
}

function reload() {
  setOnline(true);
  const user = store.me.id;
  load(async () => {
    const [, views, log, panes] = await Promise.all([
      loadTeam(user), get("views", { user }), get("log", { brief: 1 }), get("pane"),
      store.channel?.load(), store.thread?.load(),
    ]);
    store.log = new Map(log.entries.map((line) => [line.n, line]));
    store.panes = new Map(panes.panes.map(({ name, lines }) => [name, lines]));
    set("stack", views.stack);
    set("home", views.home);
    tell("log");
    tell("panes");
    tell("reads");
  });
}

function takeMessage(channel, message) {
  const known = store.channels.has(channel) && store.reads[channel];
  for (const box of boxes(channel)) box.take(message);
  if (!known) return void load(() => loadTeam(store.me.id));
  const top = !message.thread_ts || message.thread_ts === message.ts;
  if (!top || message.ts <= known.newest) return; // what has changed, or was counted before
  known.newest = message.ts;
  if (message.user === store.me.id) return;
  known.unread += 1;
  if (store.channels.get(channel).is_im || JSON.stringify(message).includes(store.me.id)) known.mentions += 1;
  tell("reads");
}

function hasRead(channel, ts) {
  const read = store.reads[channel];
  if (read && ts >= read.newest) Object.assign(read, { last_read: ts, unread: 0, mentions: 0 });
  tell("reads");
}

const boxes = (channel) => [store.channel, store.thread].filter((box) => box?.channel === channel);

function set(what, value) {
  store[what] = value;
  tell(what);
}

function setOnline(online) {
  store.online = online;
  tell("online");
}
