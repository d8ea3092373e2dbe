/**
 * Bytes as printable ASCII, 13 bits in two characters (base64: 12). The 91 digits are the characters from `#` to `~` without
 * the backslash, so neither a JavaScript string nor JSON needs an escape. `scripts/base91.mjs` writes it.
 */
export function unpack(text: string, size: number): Uint8Array<ArrayBuffer> {
  const digit = (at: number) => {
    const code = text.charCodeAt(at);
    return code - (code > 92 ? 36 : 35);
  };
  const bytes = new Uint8Array(size);
  let held = 0;
  let bits = 0;
  let at = 0;
  for (let pair = 0; at < size; pair += 2) {
    held |= (digit(pair) * 91 + digit(pair + 1)) << bits;
    for (bits += 13; bits > 7; bits -= 8) {
      bytes[at++] = held;
      held >>= 8;
    }
  }
  return bytes;
}
