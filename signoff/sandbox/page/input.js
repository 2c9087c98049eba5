// Input blocks: a label, a field to type or choose in, a hint, and what was wrong with it.
import { el, newId } from "./dom.js";
import { control } from "./elements.js";
import { changed, keyOf, plain } from "./state.js";
import { text } from "./text.js";

/** An input block. Where the app or Slack's client has complained, the words stand below the field. */
export function input(block, at) {
  const { element } = block;
  const name = plain(block.label);
  const id = newId("field");
  const typed = Object.hasOwn(TYPES, element.type);
  const field = typed ? typing(element, block, at, id) : control(element, block, at, name);
  const wrong = at.wrong?.[block.block_id];
  const error = el("p", { class: "error", id: `${id}-error`, role: "alert" }, wrong ?? "");
  const target = typed ? field : field.matches("input") ? field : field.querySelector("input, textarea, button");
  const hint = block.hint ? el("p", { class: "hint", id: `${id}-hint` }, text(block.hint)) : null;
  target?.setAttribute("aria-describedby", `${id}-error${hint ? ` ${id}-hint` : ""}`);
  if (wrong) target?.setAttribute("aria-invalid", "true");
  if (!block.optional) target?.setAttribute("aria-required", "true");
  if (element.focus_on_load) target?.setAttribute("autofocus", "");
  return [
    el(typed ? "label" : "span", { class: "name", for: typed ? id : null }, text(block.label),
      block.optional ? el("span", { class: "quiet" }, " (optional)") : null),
    field,
    typed ? counter(element, field) : null,
    error,
    hint,
  ];
}

const TYPES = {
  plain_text_input: { type: "text" },
  email_text_input: { type: "text", inputmode: "email", placeholder: "name@example.com" },
  url_text_input: { type: "text", inputmode: "url", placeholder: "https://example.com" },
  number_input: { type: "text", inputmode: "decimal" },
  rich_text_input: { type: "text" },
};

function typing(element, block, at, id) {
  const long = element.multiline || element.type === "rich_text_input";
  const state = at.state(block, element);
  const { placeholder = null, ...more } = TYPES[element.type];
  const attributes = {
    id, "data-key": keyOf(block, element), spellcheck: "false", autocomplete: "off", dir: "auto",
    placeholder: element.placeholder ? plain(element.placeholder) : placeholder,
    value: state.value ?? richText(state.rich_text_value),
  };
  const field = long ? el("textarea", { ...attributes, rows: rows(attributes.value) }) : el("input", { ...attributes, ...more });
  const kept = () => (element.type === "rich_text_input" ? { rich_text_value: asRich(field.value) } : { value: field.value || null });
  const asked = element.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  field.addEventListener("input", () => {
    at.note(block, element, kept());
    at.touched?.(block);
    if (block.dispatch_action && asked.includes("on_character_entered")) changed(field, element, block, at, kept());
  });
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || (long && !event.metaKey && !event.ctrlKey)) return;
    if (!block.dispatch_action || !asked.includes("on_enter_pressed")) {
      if (long) field.form?.requestSubmit();
      return;
    }
    event.preventDefault();
    changed(field, element, block, at, kept());
  });
  return field;
}

/** How many characters are left, once they are few; Slack lets one type on, and does not submit. */
function counter(element, field) {
  const most = element.type === "plain_text_input" ? element.max_length ?? 0 : 0;
  const left = el("span", { class: "counter", "aria-live": "polite" });
  const count = () => {
    const rest = most - field.value.length;
    left.textContent = most && rest <= Math.max(20, most / 20) ? String(rest) : "";
    left.classList.toggle("over", most > 0 && rest < 0);
  };
  field.addEventListener("input", count);
  count();
  return left;
}

const rows = (value) => Math.max(3, Math.min(14, value.split("\n").length + 1));
const asRich = (value) => value && {
  type: "rich_text",
  elements: [{ type: "rich_text_section", elements: [{ type: "text", text: value }] }],
};
const richText = (value) => (value?.elements ?? []).flatMap((part) => part.elements ?? []).map((one) => one.text ?? "").join("");
