// Logits to probabilities.

export function logSoftmax(logits) {
  const highest = logits.reduce((a, b) => Math.max(a, b), -Infinity);
  const sum = logits.reduce((total, logit) => total + Math.exp(logit - highest), 0);
  return Float64Array.from(logits, (logit) => logit - highest - Math.log(sum));
}

export const softmax = (logits) => logSoftmax(logits).map(Math.exp);

export const argmax = (numbers) => numbers.indexOf(numbers.reduce((a, b) => Math.max(a, b)));
