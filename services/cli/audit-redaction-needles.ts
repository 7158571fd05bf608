/**
 * Values that should be nowhere, in the forms in which they could still be somewhere: as they are, folded, base64,
 * percent-encoded, hex. All in a few passes over a text.
 */

export type Form = 'plain' | 'folded' | 'base64' | 'percent' | 'hex';

export type Needles = {
  /**
   * Each value and form that occurs in the text, once; `value` is the index in the list. A value that is there as it is
   * is not told again as folded.
   */
  search(text: string, onHit: (value: number, form: Form) => void): void;
  /** Indexes of values too short to be told from chance: fewer than 4 letters and digits. They are not looked for. */
  readonly tooShort: readonly number[];
};

const leastLength = 4;
/** Shorter ones must stand apart from letters and digits around them: "Rosa" is not found in "Rosario". */
const apartBelow = 8;
const manyDigits = 9;
const wordUnit = /[\p{L}\p{N}]/u;

/**
 * Compatibility forms, case and invisible characters gone (Unicode NFKC, Default_Ignorable_Code_Point), white space as
 * one space.
 */
export const fold = (text: string): string =>
  text
    .normalize('NFKC')
    .replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '')
    .toLowerCase()
    .replaceAll(/\s+/g, ' ');
/** Digits that separators keep apart stand together: 4111 1111 is 41111111. */
const joinDigits = (text: string): string => text.replaceAll(/(?<=\d)[ ().\-\u2010-\u2015]{1,3}(?=\d)/g, '');

type Needle = { readonly value: number; readonly form: Form; readonly text: string; readonly apart: boolean };

/**
 * Base64 of the bytes at each of the three places where they can begin in a longer text, without the ends that depend
 * on their neighbours; both alphabets.
 */
function base64Forms(bytes: Buffer): string[] {
  const forms = [0, 1, 2].map((shift) => {
    const coded = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replaceAll('=', '');
    const whole = Math.floor(((shift + bytes.length) * 8) / 6);
    return coded.slice(shift === 0 ? 0 : shift + 1, whole);
  });
  return [...forms, ...forms.map((form) => form.replaceAll('+', '-').replaceAll('/', '_'))].filter(
    (form) => form.length >= 10,
  );
}

function percentForms(bytes: Buffer): string[] {
  // Through bytes: a lone surrogate would throw.
  const coded = encodeURIComponent(bytes.toString('utf8')).toLowerCase();
  const every = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  return [coded, coded.replaceAll('%20', '+'), every].filter((form) => form.includes('%') || form.includes('+'));
}

/** Every place of every needle: the first four units are looked up, then the rest is compared. */
function createPass(needles: readonly Needle[]): (text: string, onHit: (needle: Needle) => void) => void {
  const mask = (1 << 20) - 1;
  const maybe = new Uint8Array(mask + 1);
  const byStart = new Map<string, Needle[]>();
  const hash = (a: number, b: number, c: number, d: number): number =>
    (Math.imul(Math.imul(Math.imul(a, 31) + b, 131) + c, 31) + d) & mask;
  for (const needle of needles) {
    const start = needle.text.slice(0, leastLength);
    maybe[hash(start.charCodeAt(0), start.charCodeAt(1), start.charCodeAt(2), start.charCodeAt(3))] = 1;
    const others = byStart.get(start);
    if (others) others.push(needle);
    else byStart.set(start, [needle]);
  }
  const standsApart = (text: string, from: number, to: number): boolean =>
    !(from > 0 && wordUnit.test(text.charAt(from - 1)) && wordUnit.test(text.charAt(from))) &&
    !(to < text.length && wordUnit.test(text.charAt(to)) && wordUnit.test(text.charAt(to - 1)));
  return (text, onHit) => {
    for (let at = 0; at + leastLength <= text.length; at += 1) {
      if (
        maybe[hash(text.charCodeAt(at), text.charCodeAt(at + 1), text.charCodeAt(at + 2), text.charCodeAt(at + 3))] ===
        0
      )
        continue;
      for (const needle of byStart.get(text.slice(at, at + leastLength)) ?? [])
        if (text.startsWith(needle.text, at) && (!needle.apart || standsApart(text, at, at + needle.text.length)))
          onHit(needle);
    }
  };
}

export function createNeedles(values: readonly string[]): Needles {
  const exact: Needle[] = [];
  const lower: Needle[] = [];
  const folded: Needle[] = [];
  const joined: Needle[] = [];
  const tooShort: number[] = [];
  for (const [value, given] of values.entries()) {
    const text = given.trim();
    if ((text.match(/[\p{L}\p{N}]/gu)?.length ?? 0) < leastLength) {
      tooShort.push(value);
      continue;
    }
    const apart = text.length < apartBelow;
    const bytes = Buffer.from(text, 'utf8');
    exact.push(
      { value, form: 'plain', text, apart },
      ...base64Forms(bytes).map((form) => ({ value, form: 'base64' as const, text: form, apart: false })),
    );
    lower.push(...percentForms(bytes).map((form) => ({ value, form: 'percent' as const, text: form, apart })));
    if (bytes.length >= 6) lower.push({ value, form: 'hex', text: bytes.toString('hex'), apart: false });
    const plainer = fold(text);
    if (plainer.length >= leastLength) folded.push({ value, form: 'folded', text: plainer, apart });
    if ((plainer.match(/\d/g)?.length ?? 0) >= manyDigits)
      joined.push({ value, form: 'folded', text: joinDigits(plainer), apart: true });
  }
  const [inText, inLower, inFolded, inJoined] = [exact, lower, folded, joined].map(createPass) as [
    ReturnType<typeof createPass>,
    ReturnType<typeof createPass>,
    ReturnType<typeof createPass>,
    ReturnType<typeof createPass>,
  ];
  return {
    tooShort,
    search: (text, onHit) => {
      if (text.length < leastLength) return;
      const seen = new Set<string>();
      const hit = ({ value, form }: Needle): void => {
        if (seen.has(`${value} ${form}`) || (form === 'folded' && seen.has(`${value} plain`))) return;
        seen.add(`${value} ${form}`);
        onHit(value, form);
      };
      const plainer = fold(text);
      inText(text, hit);
      inLower(text.toLowerCase(), hit);
      inFolded(plainer, hit);
      if (joined.length > 0) inJoined(joinDigits(plainer), hit);
    },
  };
}

/**
 * One value a line; a line that is a JSON string (for values with line breaks) is read as one. Empty lines are none.
 * Line numbers from 1, by value.
 */
export function readValues(text: string): { readonly values: readonly string[]; readonly lines: readonly number[] } {
  const known = new Map<string, number>();
  text.split(/\r?\n/).forEach((line, index) => {
    let value: unknown = line.trim();
    if (line.trim().startsWith('"')) {
      try {
        value = JSON.parse(line);
      } catch {
        // A value may begin with a quotation mark.
      }
    }
    if (typeof value === 'string' && value.trim() !== '' && !known.has(value)) known.set(value, index + 1);
  });
  return { values: [...known.keys()], lines: [...known.values()] };
}
