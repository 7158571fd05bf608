/** What each UTF-16 unit of the basic plane becomes when a text is folded: tables, made for the first foreign text. */
import { once } from './once.ts';

/** Letters that imitate an ASCII one, and what they imitate, in the same order. */
const lookAlikes: readonly (readonly [letters: string, ascii: string])[] = [
  ['аеорсухіѕјԁһӏктмнвгпиѡѵ', 'aeopcyxisjdhlktmhbrnuwv'], // Cyrillic
  ['ոսօ', 'nuo'], // Armenian
  ['ɡı', 'gi'], // Latin
  ['οαεικνρτυχγηω', 'oaeikvptuxynw'], // Greek
  ['АВЕКМНОРСТХУЅІЈ', 'ABEKMHOPCTXYSIJ'], // Cyrillic, capitals
  ['ΟΑΒΕΖΗΙΚΜΝΡΤΥΧ', 'OABEZHIKMNPTYX'], // Greek, capitals
];
/** Signs that stand for an ASCII one wherever they are. */
const signs: readonly [signs: string, ascii: string] = ['ʼ․‚։꞉∶⁄∕', "'.,::://"];

/** Zeros of the decimal digits beyond the basic plane that NFKC leaves alone (Unicode 15.1, general category Nd). */
export const astralZeros = [
  0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0,
  0x11950, 0x11c50, 0x11d50, 0x11da0, 0x11f50, 0x16a60, 0x16ac0, 0x16b50, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e950,
];

/**
 * Han, Hangul, surrogates and private use: nothing to fold, and nothing with a case. Two thirds of the plane, which
 * tables need not ask about one by one.
 */
export const isPlain = (code: number): boolean =>
  (code >= 0x3400 && code <= 0x4dbf) ||
  (code >= 0x4e00 && code <= 0x9fff) ||
  (code >= 0xac00 && code <= 0xd7a3) ||
  (code >= 0xd800 && code <= 0xf8ff);

/** Accents and strokes that join the letter before them. */
export const isMark = (code: number): boolean =>
  (code >= 0x300 && code <= 0x36f) || (code >= 0x1ab0 && code <= 0x1aff) || (code >= 0x20d0 && code <= 0x20ff);

export type FoldTables = {
  /** What a unit becomes; 0 = nothing; itself = stays. */
  readonly to: Uint16Array;
  /** The ASCII letter a unit imitates, when its word is Latin otherwise; 0 = none. */
  readonly look: Uint16Array;
  /** Units that become two to four. */
  readonly more: ReadonlyMap<number, string>;
  /** 1 where any of this may change a unit. */
  readonly touched: Uint8Array;
};

/** Classes of units that become one ASCII unit, in the order in which they are asked. */
const classes: readonly (readonly [pattern: RegExp, becomes: number])[] = [
  [/\p{Pd}|[\u2212\u00af\u02d7]/u, 45],
  [/\p{Zs}/u, 32],
  [/[\u2028\u2029\u0085]/, 10],
  [/[\u2024\u3002\uff0e\uff61]/, 46],
];
const ignorable = /\p{Default_Ignorable_Code_Point}|[\u20e3\ufff9-\ufffb]/u;
const decimalDigit = /\p{Nd}/u;

/**
 * The one unit that Unicode's NFKC writes for this one. When it writes several, those go to `more` if they are the
 * letters and digits of a ligature, or the digits of `⑴` and `⒈`.
 */
function compatible(char: string, code: number, more: Map<number, string>): number | undefined {
  const plain = char.normalize('NFKC');
  if (plain.length === 1) return plain.charCodeAt(0);
  if (/^[A-Za-z0-9]{2,4}$/.test(plain)) more.set(code, plain);
  else if (/^\(?\d{1,2}[.)]$/.test(plain)) more.set(code, plain.replaceAll(/\D/g, ''));
  return undefined;
}

/** Fills `to` and `more` with what Unicode says of each unit. */
function fillByUnicode(to: Uint16Array, more: Map<number, string>): void {
  // Digits of a script stand in tens, from their zero on.
  let zero = 0;
  for (let code = 0; code < 65_536; code += 1) {
    to[code] = code;
    if (code < 0x80 || isPlain(code)) continue;
    const char = String.fromCharCode(code);
    if (ignorable.test(char)) to[code] = 0;
    else if (decimalDigit.test(char)) {
      if (code >= zero + 10) zero = code;
      to[code] = 48 + code - zero;
    } else {
      const single = classes.find(([pattern]) => pattern.test(char))?.[1] ?? compatible(char, code, more);
      if (single !== undefined) to[code] = single;
    }
  }
}

/** Halves of characters beyond the basic plane that folding may change. */
const isFoldedHalf = (code: number): boolean => (code >= 0xd801 && code <= 0xd83b) || code === 0xdb40;

function buildTables(): FoldTables {
  const to = new Uint16Array(65_536);
  const look = new Uint16Array(65_536);
  const more = new Map<number, string>();
  fillByUnicode(to, more);
  const [foreign, ascii] = signs;
  for (let at = 0; at < foreign.length; at += 1) to[foreign.charCodeAt(at)] = ascii.charCodeAt(at);
  for (const [letters, plain] of lookAlikes)
    for (let at = 0; at < letters.length; at += 1) look[letters.charCodeAt(at)] = plain.charCodeAt(at);
  const mayChange = (code: number): boolean =>
    to[code] !== code || look[code] !== 0 || more.has(code) || isFoldedHalf(code) || isMark(code);
  const touched = Uint8Array.from(to, (_, code) => Number(code >= 0x80 && mayChange(code)));
  return { to, look, more, touched };
}

export const foldTables = once(buildTables);
