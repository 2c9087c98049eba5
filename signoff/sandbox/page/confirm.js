// The dialog that asks "Are you sure?" before a press is sent.
import { el, newId } from "./dom.js";
import { text } from "./text.js";

/** True where the person confirms. Esc and the other button are a no. */
export function ask({ title, text: words, confirm, deny, style }) {
  return new Promise((done) => {
    const id = newId("confirm");
    const end = (sure) => {
      dialog.close();
      dialog.remove();
      done(sure);
    };
    const button = (label, sure, kind) => el("button", { type: "button", class: kind, onclick: () => end(sure) }, text(label));
    const dialog = el("dialog", { class: "confirm", "aria-labelledby": id, "aria-describedby": `${id}-text` },
      el("h2", { id }, text(title)),
      el("div", { class: "text", id: `${id}-text` }, text(words)),
      el("footer", {}, button(deny, false, "button"), button(confirm, true, `button ${style ?? "primary"}`)));
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      end(false);
    });
    document.body.append(dialog);
    dialog.showModal();
    dialog.querySelector("footer button:last-child").focus();
  });
}
