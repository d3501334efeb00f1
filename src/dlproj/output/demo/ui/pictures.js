// The reader's own pictures, as ink on the drawing surface.

/** The brightness of each pixel in [0, 1]. */
function greyOf({ data }) {
  return Float64Array.from({ length: data.length / 4 }, (_, place) => {
    const [red, green, blue] = data.subarray(4 * place, 4 * place + 3);
    return (0.299 * red + 0.587 * green + 0.114 * blue) / 255;
  });
}

/** The brightness of the paper: the median along the picture's edge. */
function paperOf(grey, width, height) {
  const edge = [];
  grey.forEach((value, place) => {
    const [row, column] = [Math.floor(place / width), place % width];
    if (!row || !column || row === height - 1 || column === width - 1) edge.push(value);
  });
  return edge.sort((a, b) => a - b)[edge.length >> 1];
}

/**
 * A picture file as a canvas of white ink on black, as large as fits into `side` pixels.
 * Paper is what lies along its edge, dark or light.
 */
export async function readPicture(file, side) {
  const bitmap = await createImageBitmap(file);
  const scale = side / Math.max(bitmap.width, bitmap.height);
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  const image = context.getImageData(0, 0, canvas.width, canvas.height);
  const grey = greyOf(image);
  const paper = paperOf(grey, canvas.width, canvas.height);
  grey.forEach((value, place) => {
    const ink = Math.round(255 * Math.max(0, paper > 0.5 ? paper - value : value - paper));
    image.data.set([ink, ink, ink, 255], 4 * place);
  });
  context.putImageData(image, 0, 0);
  return canvas;
}
