// Pictures of the page itself, drawn: what a font has of such signs differs, and many have none.

const SHAPES = {
  lock: "M5 7V5a3 3 0 0 1 6 0v2M3.5 7h9v6.5h-9z",
  bolt: "M9 1.5 3.5 9H8l-1 5.5L12.5 7H8z",
  send: "M2 2.5 14.5 8 2 13.5 4 8zM4 8h5",
  warn: "M8 2 15 14H1zM8 6.5v3.5M8 11.8v.4",
  more: "M3 8h.01M8 8h.01M13 8h.01",
  reply: "M2 3h12v8H7.5L4.5 13.5V11H2z",
  eye: "M1.5 8S4 3.5 8 3.5 14.5 8 14.5 8 12 12.5 8 12.5 1.5 8 1.5 8zM8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z",
  file: "M3.5 1.5H9L12.5 5v9.5h-9zM9 1.5V5h3.5",
  close: "m3.5 3.5 9 9m0-9-9 9",
  back: "M10.5 2.5 5 8l5.5 5.5",
  open: "m3 6 5 5 5-5",
  down: "M8 2.5v11M3.5 9 8 13.5 12.5 9",
};
const SVG = "http://www.w3.org/2000/svg";

/** One of them, as large as the text around it; what it means is said beside it, or by its button's label. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", `icon icon-${name}`);
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", SHAPES[name]);
  svg.append(path);
  return svg;
}
