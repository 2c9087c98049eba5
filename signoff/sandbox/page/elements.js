// Elements that are pressed or chosen: in actions, beside sections, and in inputs.
import { el } from "./dom.js";
import { icon } from "./icons.js";
import { openMenu } from "./menu.js";
import { press } from "./press.js";
import { select } from "./select.js";
import { changed, keyOf, plain } from "./state.js";
import { text } from "./text.js";

/** One element. `label` names it where no text of its own does. */
export function control(element, block, at, label = "") {
  if (Object.hasOwn(KINDS, element.type)) return KINDS[element.type](element, block, at, label);
  if (/^(multi_)?(static|external|users|conversations|channels)_select$/.test(element.type)) return select(element, block, at, label);
  return el("span", { class: "undrawn" }, `${element.type}: not drawn here`);
}

const KINDS = {
  button(element, block, at) {
    const send = (event) => {
      if (/^https?:\/\//i.test(element.url ?? "")) window.open(element.url, "_blank", "noopener,noreferrer");
      press(event.currentTarget, at, element, { block_id: block.block_id, value: element.value });
    };
    return el("button", {
      type: "button", class: `button ${element.style ?? ""}`, "aria-label": element.accessibility_label ?? null,
      title: element.url ?? null, "data-key": keyOf(block, element, element.value ?? ""), onclick: send,
    }, el("span", {}, text(element.text)));
  },

  overflow(element, block, at) {
    const items = (anchor) => element.options.map((option) => ({
      label: plain(option.text),
      hint: option.description ? plain(option.description) : "",
      act: () => {
        if (/^https?:\/\//i.test(option.url ?? "")) window.open(option.url, "_blank", "noopener,noreferrer");
        press(anchor, at, element, { block_id: block.block_id, value: option.value });
      },
    }));
    return el("button", {
      type: "button", class: "button overflow", "aria-label": "More options", "aria-haspopup": "menu",
      "aria-expanded": "false", "data-key": keyOf(block, element),
      onclick: (event) => openMenu(event.currentTarget, "More options", items(event.currentTarget)),
    }, el("span", {}, icon("more")));
  },

  checkboxes(element, block, at, label) {
    const chosen = at.state(block, element).selected_options ?? [];
    return choices("checkbox", element, block, label, chosen.map((option) => option.value), (box) => {
      const ticked = [...box.querySelectorAll("input")].map((one, index) => (one.checked ? element.options[index] : null));
      changed(box, element, block, at, { selected_options: ticked.filter(Boolean) });
    });
  },

  radio_buttons(element, block, at, label) {
    const chosen = at.state(block, element).selected_option;
    return choices("radio", element, block, label, chosen ? [chosen.value] : [], (box, index) =>
      changed(box, element, block, at, { selected_option: element.options[index] }));
  },

  datepicker: (element, block, at, label) => picker("date", "selected_date", element, block, at, label || "Date"),
  timepicker: (element, block, at, label) => picker("time", "selected_time", element, block, at, label || "Time"),

  datetimepicker(element, block, at, label) {
    const now = at.state(block, element).selected_date_time;
    const [day, time] = now ? local(now) : ["", ""];
    const set = () => {
      const value = date.value && clock.value ? Math.floor(new Date(`${date.value}T${clock.value}`).getTime() / 1000) : null;
      changed(box, element, block, at, { selected_date_time: value });
    };
    const part = (type, value, name) => el("input", {
      type, value, "aria-label": [label, name].filter(Boolean).join(": "), "data-key": keyOf(block, element, type), onchange: set,
    });
    const date = part("date", day, "date");
    const clock = part("time", time, "time");
    const box = el("span", { class: "moment" }, date, clock);
    return box;
  },
};

function choices(type, element, block, label, chosen, set) {
  const name = `${type} ${block.block_id} ${element.action_id} ${Math.random()}`;
  const box = el("div", { class: "choices", role: type === "radio" ? "radiogroup" : "group", "aria-label": label || null },
    element.options.map((option, index) => el("label", {},
      el("input", { type, name, checked: chosen.includes(option.value), "data-key": keyOf(block, element, index), onchange: () => set(box, index) }),
      el("span", {}, text(option.text), option.description ? el("span", { class: "description" }, text(option.description)) : null))));
  return box;
}

function picker(type, field, element, block, at, label) {
  const input = el("input", {
    type, "aria-label": label, value: at.state(block, element)[field] ?? "", "data-key": keyOf(block, element),
    title: element.placeholder ? plain(element.placeholder) : null,
    onchange: () => changed(input, element, block, at, { [field]: input.value || null }),
  });
  return input;
}

/** Unix seconds as the day and the time that a browser's inputs take, in its own zone. */
function local(seconds) {
  const at = new Date(seconds * 1000);
  const pad = (number) => String(number).padStart(2, "0");
  return [`${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`, `${pad(at.getHours())}:${pad(at.getMinutes())}`];
}
