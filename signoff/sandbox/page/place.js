// Who I am and where I am: both stand in the address, so that a reload, a link and a second window keep them.
// #/ana/agent-approvals/1700000000.000100 is a thread; #/ana/@home and #/ana/@messages are the app's two tabs.

const LAST = "signoff-sandbox-who";

/** What the address says: `user` and `where` are names, `thread` a ts; empty where it says nothing. */
export function place() {
  const [user = "", where = "", thread = ""] = location.hash.replace(/^#\/?/, "").split("/").map(decode);
  return { user: user || localStorage.getItem(LAST) || "", where, thread };
}

/** Go there. What is left out stays, but a thread belongs to its channel. */
export function go(to) {
  const from = place();
  const thread = to.thread ?? (to.where === undefined && to.user === undefined ? from.thread : "");
  const next = { user: to.user ?? from.user, where: to.where ?? from.where, thread };
  if (to.user) localStorage.setItem(LAST, to.user);
  const parts = [next.user, next.where, next.where ? next.thread : ""].filter(Boolean);
  const hash = `#/${parts.map(encodeURIComponent).join("/")}`;
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
