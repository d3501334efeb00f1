// Weights from the page to arrays: base85 of a zlib stream of all tensors of one network.

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
  rows: unpackRows,
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

/** What each letter of base85 text stands for, by its code. */
const DIGITS = new Uint8Array(128);
[..."0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%:()*+-;,=.?@^_`{|}~"].forEach(
  (letter, digit) => (DIGITS[letter.charCodeAt(0)] = digit),
);

/** The bytes of base85 text: five digits are a number of four bytes; the last may be cut short. */
function fromBase85(text) {
  const missing = (5 - (text.length % 5)) % 5;
  const whole = text + "~".repeat(missing); // the last digit: what is cut short is rounded up again
  const bytes = new DataView(new ArrayBuffer((whole.length / 5) * 4));
  for (let start = 0, byte = 0; start < whole.length; start += 5, byte += 4) {
    let number = 0;
    for (let place = start; place < start + 5; place++) number = number * 85 + DIGITS[whole.charCodeAt(place)];
    bytes.setUint32(byte, number);
  }
  return bytes.buffer.slice(0, bytes.byteLength - missing);
}

/** The bytes that base85 text holds, decompressed. */
async function inflate(text) {
  const packed = fromBase85(text.trim());
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * All tensors of one network, by name.
 * @param {string} text base85 of what `pack_tensors` of Python made
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
