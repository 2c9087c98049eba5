// What an element is set to: told to the view and the app; and how elements and their options are named.
import { emojis } from "./emoji.js";
import { press } from "./press.js";

/** A person has set an element to `state`: kept, and sent unless it is a form's that waits for its submit. */
export function changed(anchor, element, block, at, state) {
  at.note(block, element, state);
  at.touched?.(block);
  if (block.type === "input" && !block.dispatch_action) return;
  const value = Object.values(state)[0];
  if (value === null || value === "") return;
  const plain = (option) => (element.type.endsWith("external_select") ? option : option?.value ?? option);
  press(anchor, at, element, { block_id: block.block_id, value: Array.isArray(value) ? value.map(plain) : plain(value) });
}

export const keyOf = (block, element, more = "") => `${block.block_id} ${element.action_id} ${more}`;

/** A plain_text object as a string. */
export const plain = (object) => (object.emoji === false ? object.text : emojis(object.text));
