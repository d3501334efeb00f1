// A matrix (outputs, inputs) and a bias (outputs), as torch.nn.Linear has them.

export function forward({ weight, bias }, x) {
  const inputs = x.data.length;
  const data = Float32Array.from(bias, (start, output) => {
    let sum = start;
    for (let input = 0, place = output * inputs; input < inputs; input++) sum += weight[place + input] * x.data[input];
    return sum;
  });
  return { data, shape: [data.length] };
}

export function backward({ weight }, x, y, gradient) {
  const inputs = x.data.length;
  const data = new Float32Array(inputs);
  gradient.forEach((value, output) => {
    if (!value) return;
    for (let input = 0, place = output * inputs; input < inputs; input++) data[input] += value * weight[place + input];
  });
  return data;
}
