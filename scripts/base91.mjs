// Bytes as printable text, the shortest that a page reads without a library: the digits of js/src/base91.ts.

/** Two digits of base 91 for every 13 bits, least significant bits first. */
export function base91(bytes) {
  let text = "";
  let held = 0;
  let bits = 0;
  const digit = (value) => String.fromCharCode(value + (value > 56 ? 36 : 35));
  const pair = () => {
    text += digit(Math.trunc((held & 8191) / 91)) + digit((held & 8191) % 91);
  };
  for (const byte of bytes) {
    held |= byte << bits;
    bits += 8;
    if (bits < 13) continue;
    pair();
    held >>= 13;
    bits -= 13;
  }
  if (bits > 0) pair();
  return text;
}
