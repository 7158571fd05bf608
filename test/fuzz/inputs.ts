/**
 * Inputs for the redactor's fuzzer: values of every class made from a seed, pieces of JSON, escapes and Unicode, cut,
 * repeated, swapped and nested. The same seed makes the same inputs.
 */
import { bits, keys, made, pick, type Random, randomFrom, words } from './pieces.ts';

function encoded(random: Random, text: string): string {
  switch (random(6)) {
    case 0:
      return Buffer.from(text).toString('base64');
    case 1:
      return Buffer.from(text).toString('hex');
    case 2:
      return encodeURIComponent(text.replaceAll(/[\ud800-\udfff]/g, ''));
    case 3:
      return [...text].map((char) => `&#${char.codePointAt(0)};`).join('');
    case 4:
      return JSON.stringify(text).slice(1, -1);
    default:
      return [...text].join(pick(random, [' ', '\u200b', '-', '.']));
  }
}

/** A JSON value with what `text` makes inside, and sometimes JSON as text in it. */
function json(random: Random, text: () => string, depth: number): unknown {
  const kind = random(depth > 2 ? 5 : 9);
  if (kind === 0) return random(2) === 0 ? random(1_000_000_000) : Number(`${4111111111111111}`);
  if (kind === 1) return pick(random, [null, true, false, -0.5, 1e21, 536221234]);
  if (kind < 5) return text();
  if (kind < 7)
    return Object.fromEntries(
      Array.from({ length: random(4) }, () => [
        random(8) === 0 ? text() : pick(random, keys),
        json(random, text, depth + 1),
      ]),
    );
  if (kind === 7)
    return Array.from({ length: random(4) }, () =>
      random(6) === 0 ? pick(random, ['--password', 'authorization', 'api_key']) : json(random, text, depth + 1),
    );
  return JSON.stringify(json(random, text, depth + 1));
}

/** As logs and event streams hold it: a value a line, alone or behind `data:`, with other lines between. */
function stream(random: Random): string {
  const prefix = pick(random, ['', '', 'data: ', 'event: delta\ndata: ']);
  const line = (): string =>
    random(8) === 0
      ? phrase(random, 1).replaceAll('\n', ' ')
      : prefix + (JSON.stringify(json(random, () => phrase(random, 1), 0)) ?? '');
  return Array.from({ length: 2 + random(5) }, line).join(pick(random, ['\n', '\n\n', '\r\n']));
}

function phrase(random: Random, depth: number): string {
  let text = '';
  for (let left = 1 + random(9); left > 0; left -= 1) {
    const kind = random(12);
    if (kind < 3) text += pick(random, words);
    else if (kind < 6) text += pick(random, bits);
    else if (kind < 10) text += pick(random, made)(random);
    else if (kind === 10 && depth < 2) text += encoded(random, phrase(random, depth + 1));
    else text += String.fromCharCode(random(random(4) === 0 ? 65_536 : 256));
    if (random(3) > 0) text += ' ';
  }
  return text;
}

/** What editors, loggers and people do to a text. */
function mutated(random: Random, text: string, other: string): string {
  const at = random(text.length + 1);
  const to = Math.min(text.length, at + random(12));
  switch (random(7)) {
    case 0:
      return text.slice(0, at) + text.slice(to);
    case 1:
      return text.slice(0, at) + pick(random, bits) + text.slice(at);
    case 2:
      return text.slice(0, at) + text.slice(at, to).repeat(1 + random(6)) + text.slice(to);
    case 3:
      return text.slice(0, at) + other.slice(random(other.length + 1));
    case 4:
      return text.slice(0, at) + text.slice(at, to).toUpperCase() + text.slice(to);
    case 5:
      return text.slice(0, at) + pick(random, bits).repeat(1 + random(20)) + text.slice(to);
    default:
      return [...text].reverse().join('');
  }
}

/** Inputs without end. Every 2,000th is long: some 20 to 100 thousand units of one piece over and over. */
export function* inputs(seed: number): Generator<string> {
  const random = randomFrom(seed);
  let last = '';
  for (let count = 1; ; count += 1) {
    const kind = random(10);
    let text =
      kind === 9 && random(2) === 0
        ? stream(random)
        : kind < 2
          ? (JSON.stringify(json(random, () => phrase(random, 1), 0)) ?? '')
          : kind < 3
            ? encoded(random, phrase(random, 0))
            : phrase(random, 0);
    for (let times = random(4); times > 0; times -= 1) text = mutated(random, text, last);
    if (count % 2_000 === 0) text = (text.slice(0, 1 + random(20)) || 'a').repeat(1_000 + random(4_000));
    last = text.slice(0, 400);
    yield text;
  }
}
