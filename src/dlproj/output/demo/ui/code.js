// The command and the Python lines that do what a part of the page shows.

import { copyText } from "./copy.js";
import { byId } from "./dom.js";

/** Show a command and Python lines under a panel; called again when the settings change. */
export function showCode(panel, command, python) {
  const place = byId(`${panel}-code`);
  place.querySelector(".command").textContent = command;
  place.querySelector(".python").textContent = python.join("\n");
}

/** Make the copy buttons work. */
export function startCode() {
  for (const place of document.querySelectorAll(".code"))
    place.querySelector(".copy").addEventListener("click", () => {
      const texts = [...place.querySelectorAll("code")].map((part) => part.textContent);
      copyText(texts.join("\n\n"), place.querySelector(".done"));
    });
}
