// Puts the page together: who I am and where I am come from the address, everything else from the stand-in.
import { el, keepFocus, toast } from "./dom.js";
import { icon } from "./icons.js";
import { channelHead, channelView } from "./channel.js";
import { appHead, Home } from "./home.js";
import { Inspector } from "./inspector.js";
import { showStack } from "./modal.js";
import { myChannels, myDirectMessage, playable } from "./names.js";
import { Panes } from "./panes.js";
import { go, narrow, place, settle } from "./place.js";
import { showSidebar } from "./sidebar.js";
import { become, loadTeam, on, open, store } from "./store.js";
import { showThread } from "./thread.js";
import { showWho } from "./who.js";

const at = (id) => document.getElementById(id);
let shown = "";
let thread = null;
let home = null;
let messages = null;

async function start() {
  while (!store.users.size) {
    await loadTeam(null).catch(() => new Promise((later) => setTimeout(later, 500)));
  }
  new Inspector(at("inspector"), at("inspector-toggle"));
  new Panes(at("panes"), at("pane-toggle"));
  at("back").append(icon("back"));
  at("back").onclick = () => go(place().thread ? { thread: "" } : { where: "" });
  addEventListener("hashchange", move);
  narrow.addEventListener("change", move);
  document.addEventListener("visibilitychange", () => messages?.read());
  document.addEventListener("keydown", escape);
  on("team", redraw);
  on("reads", () => store.me && (showSidebar(at("sidebar")), title()));
  on("stack", () => showStack(store.stack));
  on("home", () => home?.show(store.home));
  on("online", () => document.body.classList.toggle("offline", !store.online));
  on("view_failed", ({ method, error }) => toast(`Something went wrong: the app could not open its window (${method}: ${error}).`, "bad"));
  be();
}

/** The id of the person whom the address names, or of the first whom one can be. */
function wanted() {
  const channels = [...store.channels.values()].filter((one) => !one.is_im);
  return settle(playable(), (name) => name.startsWith("@") || channels.some((one) => one.name === name || one.id === name))?.id;
}

/** What there is to see comes with the first `team` after this. */
function be() {
  home = messages = null;
  shown = "";
  become(store.users.get(wanted()));
}

function redraw() {
  if (!store.me || !Object.keys(store.reads).length) return;
  at("team").textContent = store.team.name;
  showWho(at("who"));
  showSidebar(at("sidebar"));
  show();
}

function move() {
  if (wanted() !== store.me?.id) be();
  else redraw();
}

/** Shows what the address says, as far as the person I am may see it. */
function show() {
  const { where, thread: ts } = place();
  const channels = myChannels();
  const local = store.me.team_id === store.team.id;
  const known = channels.find((one) => one.name === where || one.id === where);
  const app = local && where.startsWith("@") ? where : "";
  document.body.classList.toggle("at-list", !where && narrow.matches);
  if (!known && !app) {
    if (channels.length && (where || !narrow.matches)) go({ where: channels[0].name, instead: true });
    return;
  }
  const direct = myDirectMessage();
  const channel = app ? (app === "@messages" ? direct : null) : known;
  const box = open("channel", channel?.id ?? null);
  const now = `${store.me.id} ${app} ${channel?.id ?? ""}`;
  if (now !== shown) draw(now, app, channel, box);
  const parent = ts && !ts.startsWith("p") && channel ? ts : "";
  const beside = open("thread", parent ? channel.id : null, parent || null);
  if (beside !== thread) showThread(at("thread"), (thread = beside));
  document.body.classList.toggle("in-thread", Boolean(beside));
  at("back").setAttribute("aria-label", beside ? "Back to the conversation" : "Back to the list");
  if (ts.startsWith("p")) {
    messages?.find(ts.slice(1));
    go({ thread: "", instead: true });
  }
  title();
}

function draw(now, app, channel, box) {
  shown = now;
  home = messages = null;
  const parts = middle(app, channel, box);
  keepFocus(at("main"), () => at("main").replaceChildren(...parts));
  home?.opened();
}

function middle(app, channel, box) {
  if (app === "@home") {
    home = new Home();
    return [appHead("home"), home.element];
  }
  if (!channel) return [appHead("messages"), el("p", { class: "nothing" }, "This app has not written to you yet.")];
  const view = channelView(box, app ? appHead("messages") : channelHead(channel));
  messages = view.messages;
  return view.parts;
}

function title() {
  const { where } = place();
  const unread = Object.values(store.reads).reduce((sum, read) => sum + read.mentions, 0);
  const name = where.startsWith("@") ? "App" : where ? `#${where}` : "";
  document.title = [unread ? `(${unread})` : "", name, name ? "·" : "", store.team.name].filter(Boolean).join(" ");
}

/** Esc leaves the thread; dialogs, menus and drawers have taken theirs before. */
function escape(event) {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open], [popover]:popover-open:not(#toasts)")) return;
  if (place().thread) {
    go({ thread: "" });
    at("main").querySelector("textarea, .scroll")?.focus();
  }
}

start();
