// Select menus: a field to type in, with the options that fit below it. External ones ask the app.
import { el, newId } from "./dom.js";
import { icon } from "./icons.js";
import { stand } from "./menu.js";
import { refusal } from "./press.js";
import { changed, keyOf, plain } from "./state.js";
import { store } from "./store.js";

/** A select, or its multi_ variant with what was chosen as chips. */
export function select(element, block, at, label) {
  const several = element.type.startsWith("multi_");
  const kind = element.type.replace("multi_", "").replace("_select", "");
  const field = FIELD[kind] + (several ? "s" : "");
  const [source, wrap] = SOURCES[kind];
  let chosen = [at.state(block, element)[field] ?? []].flat().map((one) => (wrap ? wrap(one) : one));
  const set = (options) => {
    chosen = options;
    const values = options.map((option) => (wrap ? option.value : option));
    show();
    changed(box, element, block, at, { [field]: several ? values : values[0] ?? null });
  };

  const id = newId("options");
  const list = el("ul", { class: "listbox", id, role: "listbox", "aria-label": label || "Options", popover: "manual" });
  const input = el("input", {
    type: "text", role: "combobox", class: "combobox", autocomplete: "off", spellcheck: "false",
    "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": id, "data-key": keyOf(block, element),
    "aria-label": label || (element.placeholder ? plain(element.placeholder) : "Choose an option"),
    placeholder: element.placeholder ? plain(element.placeholder) : "Choose an option",
  });
  const chips = el("span", { class: "chips" });
  const box = el("span", { class: "select" }, chips, input, icon("open"), list);
  let options = [];
  let active = -1;
  let asked = 0;

  const show = () => {
    input.value = several || !chosen.length ? "" : plain(chosen[0].text);
    chips.replaceChildren(...(several ? chosen.map((option) => el("button", {
      type: "button", class: "chip", "aria-label": `Remove ${plain(option.text)}`,
      onclick: () => set(chosen.filter((one) => one !== option)),
    }, plain(option.text), " ×")) : []));
  };
  const close = () => {
    list.hidePopover();
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
    asked += 1;
    show();
  };
  const pick = (option) => {
    const left = several ? chosen.filter((one) => one.value !== option.value) : [];
    const most = element.max_selected_items ?? Infinity;
    const next = several && left.length < chosen.length ? left : [...left, option];
    close();
    if (next.length <= most) set(next);
  };
  const point = (to) => {
    const items = [...list.querySelectorAll("[role=option]")];
    active = items.length ? (to + items.length) % items.length : -1;
    items.forEach((item, index) => item.classList.toggle("active", index === active));
    items[active]?.scrollIntoView({ block: "nearest" });
    if (items[active]) input.setAttribute("aria-activedescendant", items[active].id);
  };
  const fill = (groups, note = "") => {
    options = groups.flatMap(([, those]) => those);
    let number = 0;
    list.replaceChildren(...groups.flatMap(([name, those]) => [
      ...(name ? [el("li", { class: "group", role: "presentation" }, name)] : []),
      ...those.map((option) => {
        const is = chosen.some((one) => one.value === option.value);
        return el("li", { id: `${id}-${number++}`, role: "option", "aria-selected": String(is), onpointerdown: (event) => {
          event.preventDefault();
          pick(option);
        } }, plain(option.text), option.description ? el("span", { class: "description" }, plain(option.description)) : null);
      }),
    ]), ...(note ? [el("li", { class: "note", role: "presentation" }, note)] : []));
    if (!list.matches(":popover-open")) list.showPopover();
    stand(list, input, true);
    input.setAttribute("aria-expanded", "true");
    point(Math.max(0, options.findIndex((option) => option.value === chosen[0]?.value)));
  };
  const look = async (query) => {
    const mine = ++asked;
    const later = (groups, note) => mine === asked && document.activeElement === input && fill(groups, note);
    await source(query, element, block, at, later);
  };

  input.addEventListener("click", () => list.matches(":popover-open") || look(""));
  input.addEventListener("focus", () => input.select());
  input.addEventListener("input", () => look(input.value));
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const open = list.matches(":popover-open");
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && open) point(active + step);
    else if (step) look("");
    else if (event.key === "Enter" && open && options[active]) pick(options[active]);
    else if (event.key === "Escape" && open) close();
    else if (event.key === "Backspace" && several && !input.value && chosen.length) return set(chosen.slice(0, -1));
    else if (event.key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation();
  });
  show();
  return box;
}

const FIELD = {
  static: "selected_option", external: "selected_option", users: "selected_user",
  conversations: "selected_conversation", channels: "selected_channel",
};
const fits = (query) => (option) => plain(option.text).toLowerCase().includes(query.trim().toLowerCase());
const named = (value, name) => ({ value, text: { type: "plain_text", text: name, emoji: false } });
const user = (id) => named(id, store.users.get(id)?.real_name ?? id);
const channel = (id) => named(id, `#${store.channels.get(id)?.name ?? id}`);
const known = (make, ids) => (query, element, block, at, fill) => {
  const found = ids().map(make).filter(fits(query));
  fill([["", found]], found.length ? "" : "No matches");
};
const users = known(user, () => [...store.users.values()].filter((one) => !one.deleted).map((one) => one.id));
const channels = known(channel, () => [...store.channels.values()].filter((one) => one.name).map((one) => one.id));

function groups({ options, option_groups: grouped }, query = "") {
  const all = grouped ? grouped.map((group) => [plain(group.label), group.options]) : [["", options ?? []]];
  return all.map(([name, those]) => [name, those.filter(fits(query))]).filter(([, those]) => those.length);
}

const SOURCES = {
  static: [(query, element, block, at, fill) => {
    const found = groups(element, query);
    fill(found, found.length ? "" : "No matches");
  }],
  external: [async (query, element, block, at, fill) => {
    const least = element.min_query_length ?? 3;
    if (query.length < least) return fill([], `Type at least ${least} ${least === 1 ? "character" : "characters"}`);
    fill([], "Loading…");
    const answer = await at.act("suggest", { action_id: element.action_id, block_id: block.block_id, value: query }).catch(() => null);
    if (!answer?.ok) return fill([], answer ? refusal(answer) : "Slack’s stand-in cannot be reached.");
    if (!answer.acked) return fill([], "The app did not answer in time.");
    const found = groups(answer);
    fill(found, found.length ? "" : "No matches");
  }],
  users: [users, user],
  conversations: [channels, channel],
  channels: [channels, channel],
};
