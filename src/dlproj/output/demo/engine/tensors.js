// Weights from the page to arrays: base64 of a zlib stream of all tensors of one network.

/** The numbers behind the 256 bytes of float8_e4m3fn: sign, 4 bits of exponent, 3 of mantissa. */
const FLOAT8 = Float32Array.from({ length: 256 }, (_, byte) => {
  const [exponent, mantissa] = [(byte >> 3) & 15, byte & 7];
  const size = exponent ? (8 + mantissa) * 2 ** (exponent - 10) : mantissa * 2 ** -9;
  return byte & 128 ? -size : size;
});

/** How the bytes from `start` on become numbers, by format; `rows` are those of a matrix. */
const FORMATS = {
  float32: (bytes, start, size) => new Float32Array(bytes.slice(start, start + 4 * size).buffer),
  float8: (bytes, start, size) => Float32Array.from(bytes.subarray(start, start + size), (byte) => FLOAT8[byte]),
  uint8: (bytes, start, size) => bytes.slice(start, start + size),
  int16: (bytes, start, size) => new Int16Array(bytes.slice(start, start + 2 * size).buffer),
  rows16: unpackRows,
};

/** 16-bit integers, all high bytes before all low ones, behind a scale for each row. */
function unpackRows(bytes, start, size, rows) {
  const scales = FORMATS.float32(bytes, start, rows);
  const [high, low] = [start + 4 * rows, start + 4 * rows + size];
  const columns = size / rows;
  const numbers = new Float32Array(size);
  for (let index = 0; index < size; index++) {
    const whole = ((bytes[high + index] << 24) >> 16) | bytes[low + index];
    numbers[index] = whole * scales[Math.floor(index / columns)];
  }
  return numbers;
}

/** The bytes that base64 text holds, decompressed. */
export async function inflate(text) {
  const packed = Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * All tensors of one network, by name.
 * @param {string} text base64 of what `pack_tensors` of Python made
 * @param {{name: string, format: string, shape: number[], start: number}[]} index where each is
 */
export async function unpackTensors(text, index) {
  const bytes = await inflate(text);
  const entries = index.map(({ name, format, shape, start }) => {
    const size = shape.reduce((product, side) => product * side, 1);
    return [name, FORMATS[format](bytes, start, size, shape[0])];
  });
  return Object.fromEntries(entries);
}
