// The exact Euclidean distance transform (Felzenszwalb & Huttenlocher 2012).

const FAR = 1e6; // squared, further than any picture is wide

/** How far each pixel of a mask is from the nearest that is not in it, in pixels. */
export function distances(mask) {
  const { width, height } = mask;
  const columns = alongColumns(mask);
  const values = new Float32Array(columns.length);
  const envelope = { line: new Float64Array(width), centres: new Int32Array(width), bounds: new Float64Array(width + 1) };
  for (let row = 0; row < height; row++) alongRow(columns, row * width, width, envelope, values);
  return { ...mask, values };
}

/** Squared distances along each column: from above, then from below. */
function alongColumns({ values, width, height }) {
  const steps = new Float64Array(values.length);
  for (let place = 0; place < values.length; place++)
    if (values[place]) steps[place] = Math.min(FAR, (place < width ? FAR : steps[place - width]) + 1);
  for (let place = (height - 1) * width - 1; place >= 0; place--)
    if (steps[place] > steps[place + width]) steps[place] = steps[place + width] + 1;
  for (let place = 0; place < values.length; place++) steps[place] *= steps[place];
  return steps;
}

/** Along a row, the lower envelope of the parabolas that stand on its squared distances. */
function alongRow(squares, start, width, { line, centres, bounds }, result) {
  for (let column = 0; column < width; column++) line[column] = squares[start + column] + column * column;
  let last = 0;
  [centres[0], bounds[0], bounds[1]] = [0, -Infinity, Infinity];
  for (let column = 1; column < width; column++) {
    let bound = (line[column] - line[centres[last]]) / (2 * (column - centres[last]));
    while (bound <= bounds[last]) {
      last--;
      bound = (line[column] - line[centres[last]]) / (2 * (column - centres[last]));
    }
    centres[++last] = column;
    bounds[last] = bound;
    bounds[last + 1] = Infinity;
  }
  for (let column = 0, index = 0; column < width; column++) {
    while (bounds[index + 1] < column) index++;
    const away = column - centres[index];
    result[start + column] = Math.sqrt(away * away + squares[start + centres[index]]);
  }
}
