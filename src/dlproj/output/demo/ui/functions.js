// The curves that `dlproj train-regression --function` knows, on [-2π, 2π].

export const LOW = -2 * Math.PI;
export const HIGH = 2 * Math.PI;

export const FUNCTIONS = {
  sin: Math.sin,
  cos: Math.cos,
  sin3x: (x) => Math.sin(3 * x),
  abs: Math.abs,
  gauss: (x) => Math.exp(-x * x),
  sinc: (x) => (x ? Math.sin(Math.PI * x) / (Math.PI * x) : 1),
  sawtooth: (x) => (((x % Math.PI) + Math.PI) % Math.PI) / Math.PI,
  square: (x) => Math.sign(Math.sin(x)),
};

/** Even places from `low` to `high`. */
export const even = (count, low = LOW, high = HIGH) => Array.from({ length: count }, (_, index) => low + ((high - low) * index) / (count - 1));
