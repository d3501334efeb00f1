// Maxima of squares that do not overlap; rows and columns left over are dropped, as torch does.

/** Where in the input each output's maximum is: the first one, if there are several. */
function places({ side }, x) {
  const [channels, tall, wide] = x.shape;
  const [height, width] = [Math.floor(tall / side), Math.floor(wide / side)];
  const found = new Int32Array(channels * height * width);
  for (let channel = 0, place = 0; channel < channels; channel++)
    for (let row = 0; row < height; row++)
      for (let column = 0; column < width; column++, place++) {
        let best = (channel * tall + row * side) * wide + column * side;
        const first = best;
        for (let down = 0; down < side; down++)
          for (let right = 0; right < side; right++) {
            const here = first + down * wide + right;
            if (x.data[here] > x.data[best]) best = here;
          }
        found[place] = best;
      }
  return { found, shape: [channels, height, width] };
}

export function forward(layer, x) {
  const { found, shape } = places(layer, x);
  return { data: Float32Array.from(found, (place) => x.data[place]), shape };
}

export function backward(layer, x, y, gradient) {
  const data = new Float32Array(x.data.length);
  places(layer, x).found.forEach((place, index) => {
    data[place] += gradient[index];
  });
  return data;
}
