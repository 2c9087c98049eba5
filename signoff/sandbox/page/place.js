// Who I am and where I am: both stand in the address, so that a reload, a link and a second window keep them.
// #/ana/agent-approvals/1700000000.000100 is a thread; #/ana/@home and #/ana/@messages are the app's two tabs.

const LAST = "signoff-sandbox-who";

const parts = () => location.hash.replace(/^#\/?/, "").split("/").map(decode).filter(Boolean);

/** What the address says: `user` and `where` are names, `thread` a ts; empty where it says nothing. */
export function place() {
  const [user = "", where = "", thread = ""] = parts();
  return { user, where, thread };
}

/**
 * Who I am: the person of `people` that the address begins with. Where it begins with a place (#/agent-approvals,
 * `isPlace` knows them) or nobody known, I am who I was last, or the first of them, and the address says so.
 */
export function settle(people, isPlace) {
  const [first = "", ...rest] = parts();
  const called = (name) => people.find((one) => one.name === name || one.id === name);
  const me = called(first) ?? called(localStorage.getItem(LAST)) ?? people[0];
  if (me && !called(first)) {
    const from = [first, ...rest].findLastIndex(isPlace); // who goes somewhere meanwhile adds a place
    history.replaceState(null, "", address([me.name, ...(from < 0 ? [] : [first, ...rest].slice(from))]));
  }
  return me;
}

const address = (names) => `#/${names.map(encodeURIComponent).join("/")}`;

/** Go there. What is left out stays, but a thread belongs to its channel. */
export function go(to) {
  const from = place();
  const thread = to.thread ?? (to.where === undefined && to.user === undefined ? from.thread : "");
  const next = { user: to.user ?? from.user, where: to.where ?? from.where, thread };
  if (to.user) localStorage.setItem(LAST, to.user);
  const hash = address([next.user, next.where, next.where ? next.thread : ""].filter(Boolean));
  if (to.instead) history.replaceState(null, "", hash), dispatchEvent(new HashChangeEvent("hashchange"));
  else location.hash = hash;
}

export const narrow = matchMedia("(max-width: 700px)");

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
