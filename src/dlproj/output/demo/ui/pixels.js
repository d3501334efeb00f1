// Numbers as pictures: white on black, or orange and blue where they have two signs.

const ORANGE = [255, 154, 60];
const BLUE = [74, 168, 255];

/** Fill a canvas with one colour for each number. */
function fill(canvas, numbers, colour) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  numbers.forEach((number, place) => image.data.set([...colour(number), 255], 4 * place));
  context.putImageData(image, 0, 0);
}

/** Numbers in [0, 1] as white on black. */
export const paintGrey = (canvas, pixels) =>
  fill(canvas, pixels, (value) => {
    const level = Math.round(255 * value);
    return [level, level, level];
  });

/** Numbers of two signs as orange and blue, the largest the brightest; `scale` is the largest. */
export function paintSigned(canvas, numbers, scale = largest(numbers)) {
  fill(canvas, numbers, (value) => {
    const strength = Math.min(1, Math.abs(value) / (scale || 1));
    return (value > 0 ? ORANGE : BLUE).map((part) => Math.round(part * strength));
  });
}

const largest = (numbers) => numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Maps of one layer side by side, each as bright as the layer's strongest answer allows. */
export function paintMaps(canvas, { data, shape }, zoom) {
  const [count, height, width] = shape.length === 3 ? shape : [shape[0], 1, 1];
  const columns = count > 64 ? 50 : Math.min(count > 32 ? 16 : 8, count);
  const rows = Math.ceil(count / columns);
  [canvas.width, canvas.height] = [columns * (width + 1) - 1, rows * (height + 1) - 1];
  canvas.style.width = `${zoom * canvas.width}px`;
  const context = canvas.getContext("2d");
  context.fillStyle = "#3a4550";
  context.fillRect(0, 0, canvas.width, canvas.height);
  const most = largest(data) || 1;
  for (let map = 0; map < count; map++) {
    const image = context.createImageData(width, height);
    for (let place = 0; place < width * height; place++) {
      const level = Math.round((255 * Math.max(0, data[map * width * height + place])) / most);
      image.data.set([level, level, level, 255], 4 * place);
    }
    context.putImageData(image, (map % columns) * (width + 1), Math.floor(map / columns) * (height + 1));
  }
}
