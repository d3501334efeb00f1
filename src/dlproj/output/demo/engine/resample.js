// Pillow's resampling of 8-bit grey pictures, to the bit: weights in 22-bit fixed point, columns
// before rows, and rounding to bytes in between (Pillow's src/libImaging/Resample.c).

const BITS = 22;

const box = { support: 0.5, value: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0) };

/** Keys' cubic of 1981 with a = -0.5. */
const bicubic = {
  support: 2,
  value(x) {
    const size = Math.abs(x);
    if (size < 1) return (1.5 * size - 2.5) * size * size + 1;
    if (size < 2) return ((size - 5) * size + 8) * size * -0.5 + 2;
    return 0;
  },
};

/** For each place of the result, where its inputs begin and their weights in fixed point. */
function weightsOf(from, to, filter) {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = filter.support * stretch;
  return Array.from({ length: to }, (_, place) => {
    const centre = (place + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const last = Math.min(from, Math.trunc(centre + support + 0.5));
    const weights = Array.from({ length: last - first }, (_, index) =>
      filter.value((index + first - centre + 0.5) * (1 / stretch)),
    );
    const sum = weights.reduce((a, b) => a + b, 0);
    return { first, weights: weights.map((weight) => roundAway((weight / (sum || 1)) * 2 ** BITS)) };
  });
}

const roundAway = (x) => Math.trunc(x + (x < 0 ? -0.5 : 0.5));

/** The sum of weighted bytes, from fixed point back to a byte. */
function toByte(sum) {
  return Math.min(255, Math.max(0, Math.floor((sum + 2 ** (BITS - 1)) / 2 ** BITS)));
}

/** Resample rows of `width` bytes along one direction. */
function alongRows(bytes, width, height, to, filter) {
  if (to === width) return bytes;
  const places = weightsOf(width, to, filter);
  const result = new Uint8Array(to * height);
  for (let row = 0; row < height; row++)
    places.forEach(({ first, weights }, column) => {
      const sum = weights.reduce((total, weight, index) => total + weight * bytes[row * width + first + index], 0);
      result[row * to + column] = toByte(sum);
    });
  return result;
}

function transpose(bytes, width, height) {
  return bytes.map((_, place) => bytes[(place % height) * width + Math.floor(place / height)]);
}

/** A grey picture of another size: with Pillow's BOX if it gets smaller, else with its BICUBIC. */
export function resize(bytes, [width, height], [toWidth, toHeight], shrink) {
  const filter = shrink ? box : bicubic;
  const narrowed = alongRows(bytes, width, height, toWidth, filter);
  const turned = transpose(narrowed, toWidth, height);
  return transpose(alongRows(turned, height, toWidth, toHeight, filter), toHeight, toWidth);
}
