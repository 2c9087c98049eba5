// Where one writes: messages, and slash commands with what completes them; names complete, too.
import { el, newId, toast } from "./dom.js";
import { icon } from "./icons.js";
import { post } from "./api.js";
import { openMenu, stand } from "./menu.js";
import { shortcut } from "./message.js";
import { person } from "./names.js";
import { refusal } from "./press.js";
import { store } from "./store.js";

const NAME = /[@#][a-z0-9._-]+/g;

export class Composer {
  /** `thread` is the parent's ts in a thread, where Slack runs no commands. */
  constructor({ channel, thread = "", label }) {
    Object.assign(this, { channel, thread, found: [], active: 0 });
    const id = newId("complete");
    this.field = el("textarea", {
      rows: 1, placeholder: label, "aria-label": label, "aria-autocomplete": "list", "aria-controls": id, "aria-expanded": "false",
      role: "combobox", "data-key": `composer ${thread}`, spellcheck: "false",
      oninput: () => this.typed(), onkeydown: (event) => this.key(event), onblur: () => this.close(),
    });
    this.list = el("ul", { class: "listbox", id, role: "listbox", "aria-label": "Suggestions", popover: "manual" });
    this.said = el("p", { class: "said", role: "alert" });
    const plus = thread ? null : el("button", {
      type: "button", class: "tool", "aria-label": "Shortcuts", title: "Shortcuts", "aria-haspopup": "menu",
      onclick: (event) => this.shortcuts(event.currentTarget),
    }, icon("bolt"));
    const send = el("button", { type: "submit", class: "send", "aria-label": "Send" }, icon("send"));
    this.element = el("form", { class: "composer", onsubmit: (event) => {
      event.preventDefault();
      this.send();
    } }, this.said, el("div", { class: "writing" }, this.field, el("div", { class: "row" }, plus, el("span", { class: "grow" }), send)), this.list);
  }

  typed() {
    this.said.textContent = "";
    this.field.style.height = "auto";
    this.field.style.height = `${Math.min(this.field.scrollHeight, 180)}px`;
    this.suggest();
  }

  /** What fits what stands before the cursor: a command at the very beginning, or a name. */
  suggest() {
    const before = this.field.value.slice(0, this.field.selectionStart);
    const name = /(?:^|\s)(@[a-z0-9._-]*)$/i.exec(before)?.[1];
    if (/^\/\S*$/.test(before) && !this.thread) this.found = commands(before);
    else if (name) this.found = people(name);
    else this.found = [];
    this.word = name ?? before;
    if (!this.found.length) return this.close();
    this.list.replaceChildren(...this.found.map((one, index) => el("li", {
      role: "option", id: `${this.list.id}-${index}`, onpointerdown: (event) => {
        event.preventDefault();
        this.take(one);
      },
    }, el("strong", {}, one.text), one.usage ? el("code", {}, one.usage) : null, el("span", { class: "description" }, one.hint))));
    this.list.showPopover();
    stand(this.list, this.element.querySelector(".writing"), true);
    this.field.setAttribute("aria-expanded", "true");
    this.point(0);
  }

  point(to) {
    this.active = (to + this.found.length) % this.found.length;
    [...this.list.children].forEach((item, index) => {
      item.classList.toggle("active", index === this.active);
      item.setAttribute("aria-selected", index === this.active);
    });
    this.field.setAttribute("aria-activedescendant", `${this.list.id}-${this.active}`);
  }

  close() {
    this.found = [];
    this.list.hidePopover();
    this.field.setAttribute("aria-expanded", "false");
    this.field.removeAttribute("aria-activedescendant");
  }

  take(one) {
    const at = this.field.selectionStart;
    this.field.setRangeText(`${one.text} `, at - this.word.length, at, "end");
    this.close();
  }

  key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const open = this.found.length > 0;
    const whole = open && this.found[this.active].text === this.word;
    if (open && step) this.point(this.active + step);
    else if (open && (event.key === "Tab" || (event.key === "Enter" && !whole))) this.take(this.found[this.active]);
    else if (open && event.key === "Escape") this.close();
    else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) this.send();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  async send() {
    const text = this.field.value.trim();
    if (!text) return;
    this.close();
    const command = /^(\/[^\s/]+)(?:\s+([\s\S]*))?$/.exec(text);
    const [wrong, act] = command ? this.command(command[1], command[2] ?? "") : ["", this.message(text)];
    if (wrong) return this.say(wrong);
    this.field.value = "";
    this.typed();
    const answer = await post("act", { user: store.me.id, channel: this.channel, ...act }).catch(() => null);
    const failed = command ? this.commandFailed(command[1], answer) : !answer ? "Slack’s stand-in cannot be reached." : answer.ok ? "" : refusal(answer);
    if (!failed) return;
    if (!this.field.value) this.field.value = text;
    this.say(failed);
  }

  message(text) {
    const escaped = text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
    return { type: "message", text: named(escaped, (user) => `<@${user.id}>`), ...(this.thread ? { thread_ts: this.thread } : {}) };
  }

  command(name, words) {
    const known = store.bot.features.slash_commands.find((one) => one.command === name);
    if (this.thread) return [`${name} is not supported in threads. Sorry!`];
    if (!known) return [`${name} is not a valid command.`];
    const text = known.should_escape ? named(words, (user, written) => `<@${user.id}|${written}>`, true) : words;
    return ["", { type: "command", command: name, text }];
  }

  commandFailed(name, answer) {
    if (!answer) return "Slack’s stand-in cannot be reached.";
    if (!answer.ok) return `${name} failed: ${refusal(answer)}`;
    return answer.acked ? "" : `${name} failed because the app did not respond.`;
  }

  say(words) {
    if (!this.element.isConnected) return toast(words, "bad");
    this.said.replaceChildren(icon("warn"), " ", words);
  }

  shortcuts(anchor) {
    const offered = store.bot.features.shortcuts.filter((one) => one.type === "global").map((one) => ({
      label: one.name, hint: `${person(store.bot.user_id)}${one.description ? ` · ${one.description}` : ""}`,
      act: () => shortcut({ type: "shortcut", callback_id: one.callback_id }),
    }));
    openMenu(anchor, "Shortcuts", offered.length ? offered : [{ label: "This app has no shortcuts.", act: () => {} }]);
  }
}

/** @names and, where a command wants it, #channels as Slack's ids; what nobody is called stays as it is. */
function named(text, mention, everything = false) {
  return text.replace(NAME, (written) => {
    const word = written.slice(1);
    const user = written[0] === "@" && [...store.users.values()].find((one) => one.name === word);
    if (user) return mention(user, word);
    if (!everything) return written;
    const channel = written[0] === "#" && [...store.channels.values()].find((one) => one.name === word);
    const group = written[0] === "@" && [...store.usergroups.values()].find((one) => one.handle === word);
    return channel ? `<#${channel.id}|${word}>` : group ? `<!subteam^${group.id}|${written}>` : written;
  });
}

function commands(typed) {
  const offered = store.me.team_id === store.team.id ? store.bot.features.slash_commands : [];
  return offered.filter((one) => one.command.startsWith(typed))
    .map((one) => ({ text: one.command, usage: one.usage_hint, hint: one.description ?? "" }));
}

function people(typed) {
  const wanted = typed.slice(1).toLowerCase();
  const fits = (user) => !user.deleted && (user.name.startsWith(wanted) || user.real_name.toLowerCase().includes(wanted));
  return [...store.users.values()].filter(fits).slice(0, 8).map((user) => ({ text: `@${user.name}`, hint: user.real_name }));
}
