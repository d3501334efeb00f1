"use strict";

// Sorting: each heading becomes a button; numbers sort by value, everything else as text.
const value = (row, column) => row.cells[column].textContent.trim();
const numeric = (text) => {
  const found = text.replaceAll(",", "").match(/^[+-]?\d+(\.\d+)?(e[+-]?\d+)?/i);
  return found ? Number(found[0]) : NaN;
};
const compare = (left, right) => {
  const [a, b] = [numeric(left), numeric(right)];
  return Number.isNaN(a) || Number.isNaN(b) ? left.localeCompare(right) : a - b;
};
for (const heading of document.querySelectorAll("thead th")) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = heading.textContent || "row";
  heading.replaceChildren(button);
  button.addEventListener("click", () => {
    const ascending = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const body = heading.closest("table").tBodies[0];
    const rows = [...body.rows].sort((left, right) =>
      (ascending ? 1 : -1) *
      compare(value(left, heading.cellIndex), value(right, heading.cellIndex)));
    body.append(...rows);
  });
}

// Enlarging: a dialog, which the Escape key closes too.
const dialog = document.querySelector("dialog");
const large = dialog.querySelector("img");
for (const button of document.querySelectorAll("figure button")) {
  button.addEventListener("click", () => {
    const picture = button.querySelector("img");
    large.src = picture.src;
    large.alt = picture.alt;
    dialog.showModal();
  });
}
dialog.addEventListener("click", () => dialog.close());
