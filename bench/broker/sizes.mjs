// How much is measured.

/** The sizes of the table. */
export const FULL = { users: 10_000, callers: 1000, herds: 5, starts: 5, seconds: 6, rate: 1000, fileUsers: 1000 };
/** To try the benchmark itself: its numbers mean nothing. */
export const SMALL = { users: 200, callers: 60, herds: 2, starts: 2, seconds: 1, rate: 100, fileUsers: 50 };
/** Users whose tokens are read again and again. */
export const READ_USERS = 100;

export function median(values) {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)];
}
