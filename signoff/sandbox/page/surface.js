// On what blocks stand: a message, a modal or a Home. It knows what an act has to say, and what was typed.
import { post } from "./api.js";
import { store } from "./store.js";

class Surface {
  /** Whether a button is for me. */
  shows(element) {
    return !element.visible_to_user_ids?.length || element.visible_to_user_ids.includes(store.me.id);
  }

  /** Does something as the person I am; gives the stand-in's answer. */
  act(type, fields) {
    return post("act", { type, user: store.me.id, ...this.fields(), ...fields });
  }

  /** Keeps what a person has set, where that is not sent at once. */
  note() {}
}

export class OnMessage extends Surface {
  constructor(channel, message) {
    super();
    Object.assign(this, { channel, message });
  }

  fields() {
    return { channel: this.channel, ts: this.message.ts };
  }

  state(block, element) {
    return initial(element);
  }
}

const typed = new Map();

export class OnView extends Surface {
  /** `wrong` are errors at inputs, by block_id. */
  constructor(view, wrong = {}) {
    super();
    Object.assign(this, { view, wrong });
    if (!typed.has(view.id)) typed.set(view.id, {});
  }

  fields() {
    return { view_id: this.view.id, state: this.typed() };
  }

  state(block, element) {
    const own = typed.get(this.view.id)[key(block, element)];
    if (own?.type === element.type) return own;
    return this.view.state.values[block.block_id]?.[element.action_id] ?? initial(element);
  }

  note(block, element, state) {
    typed.get(this.view.id)[key(block, element)] = { type: element.type, ...state };
  }

  /** What a person has set, in Slack's shape; what the view no longer holds is left out. */
  typed() {
    const values = {};
    for (const [name, state] of Object.entries(typed.get(this.view.id))) {
      const [block, action] = JSON.parse(name);
      if (this.view.state.values[block]?.[action]?.type !== state.type) continue;
      (values[block] ??= {})[action] = state;
    }
    return values;
  }
}

/** What was typed into a view that is closed. */
export const forget = (viewId) => typed.delete(viewId);

const key = (block, element) => JSON.stringify([block.block_id, element.action_id]);

const FIELDS = {
  selected_option: "initial_option", selected_options: "initial_options", selected_date: "initial_date",
  selected_time: "initial_time", selected_date_time: "initial_date_time", value: "initial_value",
  selected_user: "initial_user", selected_users: "initial_users", selected_channel: "initial_channel",
  selected_channels: "initial_channels", selected_conversation: "initial_conversation",
  selected_conversations: "initial_conversations",
};

function initial(element) {
  const state = {};
  for (const [field, source] of Object.entries(FIELDS)) if (element[source] !== undefined) state[field] = element[source];
  return state;
}
