// Words to letter indices, as dlproj.data.words.encode does.

const LONGEST = 64; // letters of a word that are looked at

/** The place of a letter in the alphabet; without its accent, if it has to be; -1 if it has none. */
function letterIndex(letter, alphabet) {
  const place = alphabet.indexOf(letter);
  return place >= 0 ? place : alphabet.indexOf([...letter.normalize("NFD")][0]);
}

/**
 * The letters of a word as they are read: in lower case, without marks and invisible characters
 * that the alphabet lacks, the first 64.
 */
export function spell(word, alphabet) {
  const composed = [...word.trim().toLowerCase().normalize("NFC")];
  const kept = composed.filter((letter) => alphabet.includes(letter) || !/[\p{Mn}\p{Cf}]/u.test(letter));
  return (kept.length ? kept : composed).slice(0, LONGEST);
}

/** Their places in the alphabet, which is an array of letters; none of unknown ones at the end. */
export function encode(letters, alphabet) {
  const indices = letters.map((letter) => letterIndex(letter, alphabet));
  return indices.slice(0, Math.max(1, indices.findLastIndex((index) => index >= 0) + 1));
}
