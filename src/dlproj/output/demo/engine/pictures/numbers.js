// Numbers as Python and NumPy have them.

/** To the nearest whole number; halves to the even one. */
export function roundHalfEven(x) {
  const whole = Math.floor(x);
  if (x - whole !== 0.5) return Math.round(x);
  return whole % 2 ? whole + 1 : whole;
}

/** What a share of some numbers is no larger than; between two of them, in proportion. */
export function quantile(values, share) {
  const sorted = values.slice();
  const place = (sorted.length - 1) * share;
  const below = Math.floor(place);
  select(sorted, below);
  const first = sorted[below];
  if (below === place) return first;
  let next = Infinity;
  for (let index = below + 1; index < sorted.length; index++) if (sorted[index] < next) next = sorted[index];
  return first + (next - first) * (place - below);
}

/** Bring the number to `place` that sorting would; smaller ones before it (Hoare's quickselect). */
function select(values, place) {
  let [left, right] = [0, values.length - 1];
  while (left < right) {
    const pivot = values[(left + right) >> 1];
    let [i, j] = [left, right];
    while (i <= j) {
      while (values[i] < pivot) i++;
      while (values[j] > pivot) j--;
      if (i > j) break;
      const other = values[i];
      values[i++] = values[j];
      values[j--] = other;
    }
    if (place <= j) right = j;
    else if (place >= i) left = i;
    else return;
  }
}

/** The item with the largest measure, the first of several. */
export function largest(items, measure) {
  return items.reduce((best, item) => (measure(item) > measure(best) ? item : best));
}
