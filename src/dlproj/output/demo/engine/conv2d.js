// Convolution of one image: weights (outputs, channels, side, side), as torch.nn.Conv2d has them.

/** The image with `padding` zeros around each channel. */
function pad(x, padding) {
  if (!padding) return x;
  const [channels, height, width] = x.shape;
  const [tall, wide] = [height + 2 * padding, width + 2 * padding];
  const data = new Float32Array(channels * tall * wide);
  for (let row = 0; row < channels * height; row++) {
    const channel = Math.floor(row / height);
    const place = (channel * tall + (row % height) + padding) * wide + padding;
    data.set(x.data.subarray(row * width, (row + 1) * width), place);
  }
  return { data, shape: [channels, tall, wide] };
}

/** What `pad` added, taken away again. */
function crop(data, [channels, height, width], padding) {
  if (!padding) return data;
  const [tall, wide] = [height + 2 * padding, width + 2 * padding];
  const inner = new Float32Array(channels * height * width);
  for (let row = 0; row < channels * height; row++) {
    const channel = Math.floor(row / height);
    const place = (channel * tall + (row % height) + padding) * wide + padding;
    inner.set(data.subarray(place, place + width), row * width);
  }
  return inner;
}

/** Call `visit` for each weight and row of the output, with where input and output rows begin. */
function eachRow({ weight, side, stride }, [channels, tall, wide], [outputs, height, width], visit) {
  let number = 0;
  for (let output = 0; output < outputs; output++)
    for (let channel = 0; channel < channels; channel++)
      for (let down = 0; down < side; down++)
        for (let right = 0; right < side; right++) {
          const value = weight[number++];
          if (!value) continue;
          for (let row = 0; row < height; row++) {
            const from = (channel * tall + row * stride + down) * wide + right;
            visit(value, from, (output * height + row) * width);
          }
        }
}

export function forward(layer, x) {
  const { bias, outputs, side, stride, padding } = layer;
  const padded = pad(x, padding);
  const [, tall, wide] = padded.shape;
  const [height, width] = [tall, wide].map((size) => Math.floor((size - side) / stride) + 1);
  const data = new Float32Array(outputs * height * width);
  if (bias) bias.forEach((value, output) => data.fill(value, output * height * width, (output + 1) * height * width));
  const input = padded.data;
  eachRow(layer, padded.shape, [outputs, height, width], (value, from, to) => {
    for (let column = 0; column < width; column++) data[to + column] += value * input[from + column * stride];
  });
  return { data, shape: [outputs, height, width] };
}

/** The gradient by the input, from that by the output. */
export function backward(layer, x, y, gradient) {
  const { stride, padding } = layer;
  const [channels, height, width] = x.shape;
  const shape = [channels, height + 2 * padding, width + 2 * padding];
  const data = new Float32Array(shape[0] * shape[1] * shape[2]);
  const columns = y.shape[2];
  eachRow(layer, shape, y.shape, (value, to, from) => {
    for (let column = 0; column < columns; column++) data[to + column * stride] += value * gradient[from + column];
  });
  return crop(data, x.shape, padding);
}
