// Tabs, as the ARIA Authoring Practices describe them: arrow keys move between them.

import { recall, remember } from "./state.js";

const STEPS = { ArrowRight: 1, ArrowLeft: -1 };

/** Make tabs of the buttons in a list; `opened` is called with the name of each that is shown. */
export function makeTabs(list, opened) {
  const tabs = [...list.querySelectorAll("[role=tab]")];
  const panels = tabs.map((tab) => document.getElementById(tab.getAttribute("aria-controls")));
  const show = (chosen) => {
    tabs.forEach((tab, index) => {
      const here = index === chosen;
      tab.setAttribute("aria-selected", String(here));
      tab.tabIndex = here ? 0 : -1;
      panels[index].hidden = !here;
    });
    remember("tab", panels[chosen].id);
    opened(panels[chosen].id);
  };
  tabs.forEach((tab, index) => {
    tab.addEventListener("click", () => show(index));
    tab.addEventListener("keydown", (event) => {
      const ends = { Home: 0, End: tabs.length - 1 };
      const next = event.key in STEPS ? (index + STEPS[event.key] + tabs.length) % tabs.length : ends[event.key];
      if (next === undefined) return;
      event.preventDefault();
      show(next);
      tabs[next].focus();
    });
  });
  const wanted = panels.findIndex((panel) => panel.id === recall("tab"));
  show(Math.max(wanted, 0));
  return (id) => show(panels.findIndex((panel) => panel.id === id));
}
