/** Milliseconds since 1970-01-01T00:00:00Z. */
export type EpochMs = number;

export type Clock = { now(): EpochMs };

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `6h`, `14d` to milliseconds; undefined when the text is not a whole number and one of ms s m h d. */
export function parseDurationMs(text: string): number | undefined {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text);
  return match ? Number(match[1]) * (unitMs[match[2] ?? ''] ?? 0) : undefined;
}

/** The shortest whole form: 21600000 is `6h`. */
export function formatDuration(durationMs: number): string {
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = unitMs[unit] ?? 1;
    if (durationMs >= size && durationMs % size === 0) return `${durationMs / size}${unit}`;
  }
  return `${durationMs}ms`;
}

/** The end of 2299: what the store's DateTime64 holds. A clock that says more, or less than 1970, is broken. */
const latestMs: EpochMs = 10_413_791_999_999;

export const isTime = (at: unknown): at is EpochMs =>
  Number.isSafeInteger(at) && Number(at) >= 0 && Number(at) <= latestMs;

/** What `parseTime` reads and `isTime` holds, in words. */
export const timeRule = 'no time like 2026-03-28T23:10:00Z from 1970 to 2299 (without a zone: UTC)';

const datePart = '(\\d{4})-(\\d{2})-(\\d{2})';
const clockPart = '(\\d{2}):(\\d{2})(?::(\\d{2})(?:[.,](\\d{1,9}))?)?';
const zonePart = ' ?(?:Z|UTC|([+-])(\\d{2}):?(\\d{2})?)';
const timeText = new RegExp(`^${datePart}(?:[T ]${clockPart}(?:${zonePart})?)?$`, 'i');

/**
 * RFC 3339, and what warehouses and logs make of it: a blank for the T, no seconds, no zone, a date alone. Without a
 * zone it is UTC, so that nothing depends on the machine that reads. Finer than a millisecond is cut off. Undefined: no
 * such time, or not one from 1970 to 2299.
 */
export function parseTime(text: string): EpochMs | undefined {
  const match = timeText.exec(text.trim());
  if (match === null) return undefined;
  const [, year, month, day, hours = 0, minutes = 0, seconds = 0, , sign, zoneHours = 0, zoneMinutes = 0] = match;
  const numbers = [year, month, day, hours, minutes, seconds, zoneHours, zoneMinutes].map(Number);
  const [y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, zh = 0, zm = 0] = numbers;
  // 60: a leap second, which is the next minute's first.
  if (mo < 1 || mo > 12 || d < 1 || d > daysIn(y, mo) || h > 23 || mi > 59 || s > 60 || zh > 23 || zm > 59)
    return undefined;
  const milliseconds = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3));
  const offsetMs = (sign === '-' ? -1 : 1) * (zh * 60 + zm) * 60_000;
  const at = Date.UTC(y, mo - 1, d, h, mi, s, milliseconds) - offsetMs;
  return isTime(at) ? at : undefined;
}

/** `month` from 1 to 12; day 0 of the next one is its last. */
const daysIn = (year: number, month: number): number => new Date(Date.UTC(year, month, 0)).getUTCDate();
