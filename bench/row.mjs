// A row of the table: a number, what it may not miss, and what it should reach.

const rounded = (value, digits) => (value === null ? null : Number(value.toFixed(digits)));

/** Makes a row; `better` says whether "less" or "more" is. Rows without a number to hold are there to be compared. */
export function row({ name, value, unit, hold = null, aim = null, peers = {}, better = "less", digits = 1 }) {
  return {
    name,
    value: rounded(value, digits),
    unit,
    hold: rounded(hold, digits),
    aim: rounded(aim, digits),
    peers: Object.fromEntries(Object.entries(peers).map(([peer, number]) => [peer, rounded(number, digits)])),
    better,
    ok: hold === null || reaches(value, hold, better),
  };
}

/** "aim met", "held" or "MISSED"; nothing where there is no number to hold. */
export function verdict({ value, hold, aim, better = "less", ok }) {
  if (hold === null) return "";
  if (!ok) return "MISSED";
  return aim !== null && reaches(value, aim, better) ? "aim met" : "held";
}

function reaches(value, limit, better) {
  return better === "more" ? value >= limit : value <= limit;
}
