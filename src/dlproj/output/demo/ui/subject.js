// The digit that Draw and Fool look at: 784 pixels, and where they are from.

const listeners = [];
let current = { pixels: null, label: null, source: "nothing", example: null };

/** The digit as it is. `label` is known of examples alone. */
export const subject = () => current;

/** Look at another digit. */
export function setSubject(changes) {
  current = { pixels: null, label: null, example: null, ...changes };
  for (const listener of listeners) listener(current);
}

export const onSubject = (listener) => listeners.push(listener);
