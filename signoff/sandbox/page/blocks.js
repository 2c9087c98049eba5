// Blocks as Slack lays them out. `at` says on what they stand, and takes what is pressed and typed: see surface.js.
import { el, newId } from "./dom.js";
import { rich } from "./rich.js";
import { text } from "./text.js";
import { control } from "./elements.js";
import { input } from "./input.js";
import { dataTable, table } from "./table.js";

/** All blocks of a message or of a view. */
export function draw(blocks, at) {
  return blocks.map((block) => {
    const kind = Object.hasOwn(KINDS, block.type) ? KINDS[block.type] : undrawn;
    return el("div", { class: `block ${block.type}`, "data-block": block.block_id }, kind(block, at));
  });
}

const KINDS = {
  header: (block) => el("h3", {}, text(block.text)),
  divider: () => el("hr"),
  rich_text: rich,
  context: (block) => block.elements.map((one) =>
    one.type === "image" ? image(one, "small") : el("span", { class: "text" }, text(one))),
  section: (block, at) => [
    el("div", { class: "body" },
      block.text ? folded(block.text, block.expand) : null,
      block.fields ? el("div", { class: "fields" }, block.fields.map((f) => el("div", { class: "text" }, text(f)))) : null),
    block.accessory ? el("div", { class: "accessory" }, accessory(block, at)) : null,
  ],
  actions: (block, at) => {
    const shown = block.elements.filter((one) => at.shows(one));
    return shown.map((one) => control(one, block, at));
  },
  image: (block) => el("figure", {}, block.title ? el("figcaption", {}, text(block.title)) : null, image(block)),
  input,
  table,
  data_table: dataTable,
  alert: (block) => el("p", { class: `alert ${block.level ?? "default"}`, role: "note" }, text(block.text)),
};

const undrawn = (block) => el("p", { class: "undrawn" }, `A ${block.type} block stands here: not drawn here.`);

function accessory(block, at) {
  if (block.accessory.type === "image") return image(block.accessory, "thumb");
  return at.shows(block.accessory) ? control(block.accessory, block, at) : null;
}

/** Pictures from elsewhere are not fetched: their words stand for them. */
function image(one, size = "") {
  const own = one.image_url?.startsWith(`${location.origin}/`);
  if (own) return el("img", { class: `picture ${size}`, src: one.image_url, alt: one.alt_text });
  return el("span", { class: `picture missing ${size}`, role: "img", "aria-label": one.alt_text, title: one.image_url }, one.alt_text);
}

const LONG = 700;
/** Slack folds long sections behind "See more", unless the app says `expand`. */
function folded(object, expand) {
  const body = el("div", { class: "text", id: newId("text") }, text(object));
  if (expand || object.text.length <= LONG) return body;
  body.classList.add("folded");
  const more = el("button", { class: "link", type: "button", "aria-expanded": "false", "aria-controls": body.id,
    onclick: () => {
      const open = !body.classList.toggle("folded");
      more.textContent = open ? "See less" : "See more";
      more.setAttribute("aria-expanded", open);
    } }, "See more");
  return [body, more];
}
