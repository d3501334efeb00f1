// Logits to probabilities.

export function logSoftmax(logits) {
  const highest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - highest), 0);
  return Float64Array.from(logits, (logit) => logit - highest - Math.log(sum));
}

export const softmax = (logits) => logSoftmax(logits).map(Math.exp);

export const argmax = (numbers) => numbers.indexOf(numbers.reduce((a, b) => Math.max(a, b)));

/**
 * The gradient of the cross-entropy of `label` by the logits: probabilities, less 1 at the label.
 *
 * In single precision step by step, as torch computes it: where the network is nearly sure, what
 * is left of the gradient is rounding, and attacks follow its sign.
 */
export function crossEntropySlope(logits, label) {
  const { fround } = Math;
  const single = Float32Array.from(logits);
  const highest = Math.max(...single);
  const sum = single.reduce((total, logit) => fround(total + fround(Math.exp(fround(logit - highest)))), 0);
  const logSum = fround(Math.log(sum));
  return single.map((logit, index) => {
    const share = fround(Math.exp(fround(fround(logit - highest) - logSum)));
    return index === label ? share - 1 : share;
  });
}
