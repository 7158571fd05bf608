/**
 * Text as patterns should see it: invisible characters dropped, digits of all scripts, full-width forms, dashes and
 * spaces brought to ASCII, look-alike letters inside words that mix scripts too. Only for text that holds non-ASCII;
 * `map` leads every unit back to the input.
 */
export type Mapped = {
  readonly text: string;
  /**
   * Where each unit of `text` came from, and one past the end. Half-open ranges map to half-open ranges: [map[start],
   * mapEnd[end - 1]).
   */
  readonly map: Int32Array;
  /** One past the input unit(s) that each unit of `text` stands for. */
  readonly mapEnd: Int32Array;
};

const lookAlikes: Readonly<Record<string, string>> = {
  а: 'a',
  е: 'e',
  о: 'o',
  р: 'p',
  с: 'c',
  у: 'y',
  х: 'x',
  і: 'i',
  ѕ: 's',
  ј: 'j',
  ԁ: 'd',
  һ: 'h',
  ӏ: 'l',
  ո: 'n',
  ս: 'u',
  օ: 'o',
  ɡ: 'g',
  ı: 'i',
  ο: 'o',
  α: 'a',
  ε: 'e',
  ι: 'i',
  κ: 'k',
  ν: 'v',
  ρ: 'p',
  τ: 't',
  υ: 'u',
  χ: 'x',
  γ: 'y',
  η: 'n',
  ω: 'w',
  к: 'k',
  т: 't',
  м: 'm',
  н: 'h',
  в: 'b',
  г: 'r',
  п: 'n',
  и: 'u',
  ѡ: 'w',
  ѵ: 'v',
  А: 'A',
  В: 'B',
  Е: 'E',
  К: 'K',
  М: 'M',
  Н: 'H',
  О: 'O',
  Р: 'P',
  С: 'C',
  Т: 'T',
  Х: 'X',
  У: 'Y',
  Ѕ: 'S',
  І: 'I',
  Ј: 'J',
  Ο: 'O',
  Α: 'A',
  Β: 'B',
  Ε: 'E',
  Ζ: 'Z',
  Η: 'H',
  Ι: 'I',
  Κ: 'K',
  Μ: 'M',
  Ν: 'N',
  Ρ: 'P',
  Τ: 'T',
  Υ: 'Y',
  Χ: 'X',
  ʼ: "'",
  '․': '.',
  '‚': ',',
  '։': ':',
  '꞉': ':',
  '∶': ':',
  '⁄': '/',
  '∕': '/',
};
/** Zeros of the decimal digits beyond the basic plane that NFKC leaves alone (Unicode 15.1, general category Nd). */
const astralZeros = [
  0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0, 0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0,
  0x11950, 0x11c50, 0x11d50, 0x11da0, 0x11f50, 0x16a60, 0x16ac0, 0x16b50, 0x1e140, 0x1e2f0, 0x1e4f0, 0x1e950,
];

/**
 * Per unit of the basic plane: what it becomes; 0 = nothing; itself = stays. `look` = the ASCII letter it imitates,
 * when its word is Latin otherwise.
 */
type FoldTables = {
  readonly to: Uint16Array;
  readonly look: Uint16Array;
  readonly more: ReadonlyMap<number, string> /** 1 where any of this may change a unit. */;
  readonly touched: Uint8Array;
};
let tables: FoldTables | undefined;

/**
 * Han, Hangul, surrogates and private use: nothing to fold, and nothing with a case. Two thirds of the plane, which
 * tables need not ask about one by one.
 */
export const isPlain = (code: number): boolean =>
  (code >= 0x3400 && code <= 0x4dbf) ||
  (code >= 0x4e00 && code <= 0x9fff) ||
  (code >= 0xac00 && code <= 0xd7a3) ||
  (code >= 0xd800 && code <= 0xf8ff);

function buildTables(): FoldTables {
  const to = new Uint16Array(65_536);
  const look = new Uint16Array(65_536);
  const more = new Map<number, string>();
  let zero = 0;
  for (let code = 0; code < 65_536; code += 1) {
    to[code] = code;
    if (code < 0x80 || isPlain(code)) continue;
    const char = String.fromCharCode(code);
    if (/\p{Default_Ignorable_Code_Point}|[\u20e3\ufff9-\ufffb]/u.test(char)) to[code] = 0;
    else if (/\p{Nd}/u.test(char)) {
      if (code >= zero + 10) zero = code;
      to[code] = 48 + code - zero;
    } else if (/\p{Pd}|[\u2212\u00af\u02d7]/u.test(char)) to[code] = 45;
    else if (/\p{Zs}/u.test(char)) to[code] = 32;
    else if (/[\u2028\u2029\u0085]/.test(char)) to[code] = 10;
    else if (/[\u2024\u3002\uff0e\uff61]/.test(char)) to[code] = 46;
    else {
      const plain = char.normalize('NFKC');
      if (plain.length === 1) to[code] = plain.charCodeAt(0);
      else if (/^[A-Za-z0-9]{2,4}$/.test(plain)) more.set(code, plain);
      else if (/^\(?\d{1,2}[.)]$/.test(plain)) more.set(code, plain.replaceAll(/\D/g, ''));
    }
  }
  for (const [char, ascii] of Object.entries(lookAlikes))
    (/[a-z]/i.test(ascii) ? look : to)[char.charCodeAt(0)] = ascii.charCodeAt(0);
  const touched = Uint8Array.from(to, (target, code) =>
    code >= 0x80 &&
    (target !== code ||
      look[code] !== 0 ||
      more.has(code) ||
      (code >= 0xd801 && code <= 0xd83b) ||
      code === 0xdb40 ||
      isMark(code))
      ? 1
      : 0,
  );
  return { to, look, more, touched };
}

const isAsciiLetter = (code: number): boolean => (code >= 97 && code <= 122) || (code >= 65 && code <= 90);
const isWordUnit = (code: number): boolean => isAsciiLetter(code) || (code >= 48 && code <= 57) || code > 0xbf;
const isMark = (code: number): boolean =>
  (code >= 0x300 && code <= 0x36f) || (code >= 0x1ab0 && code <= 0x1aff) || (code >= 0x20d0 && code <= 0x20ff);

/** Undefined when folding changes nothing, which most non-ASCII text is. */
export function foldText(input: string): Mapped | undefined {
  tables ??= buildTables();
  const { to, look, more, touched } = tables;
  let first = -1;
  for (let index = 0; index < input.length; index += 1) {
    if (touched[input.charCodeAt(index)] === 1) {
      first = index;
      break;
    }
  }
  if (first < 0) return undefined;
  let expansions = 0;
  for (let index = first; index < input.length; index += 1)
    if (input.charCodeAt(index) > 0x7f && more.has(input.charCodeAt(index))) expansions += 1;
  // At most four units for one.
  const units = new Uint16Array(input.length + expansions * 3);
  const map = new Int32Array(units.length + 1);
  const mapEnd = new Int32Array(units.length + 1);
  let length = 0;
  let changed = false;
  const put = (code: number, start: number, end: number): void => {
    units[length] = code;
    map[length] = start;
    mapEnd[length] = end;
    length += 1;
  };
  let index = 0;
  let wordEnd = 0;
  let wordIsMixed = false;
  while (index < input.length) {
    const code = input.charCodeAt(index);
    if (touched[code] === 0 && (code < 0xd800 || code > 0xdbff)) {
      units[length] = code;
      map[length] = index;
      index += 1;
      mapEnd[length] = index;
      length += 1;
      continue;
    }
    // A high half without its low one is a unit like any other, and what follows it is not its own.
    if (
      code >= 0xd800 &&
      code <= 0xdbff &&
      index + 1 < input.length &&
      (input.charCodeAt(index + 1) & 0xfc00) === 0xdc00
    ) {
      const point = input.codePointAt(index) ?? 0;
      const zero = astralZeros.find((start) => point >= start && point < start + 10);
      const plain =
        zero === undefined
          ? point < 0x1f000 || point > 0x1fb00 || (point >= 0x1fbf0 && point <= 0x1fbf9)
            ? String.fromCodePoint(point).normalize('NFKC')
            : ''
          : String(point - zero);
      const ignorable = point >= 0xe0000 && point <= 0xe0fff;
      if (ignorable || (plain.length === 1 && plain !== '')) {
        changed = true;
        if (!ignorable) put(plain.charCodeAt(0), index, index + 2);
      } else {
        put(code, index, index + 1);
        put(input.charCodeAt(index + 1), index + 1, index + 2);
      }
      index += 2;
      continue;
    }
    const many = more.get(code);
    if (many !== undefined) {
      changed = true;
      for (const char of many) put(char.charCodeAt(0), index, index + 1);
      index += 1;
      continue;
    }
    let target = to[code] as number;
    // Strokes through letters belong to no language; other marks after a digit neither.
    if (
      isMark(code) &&
      length > 0 &&
      ((code >= 0x334 && code <= 0x338) ||
        code >= 0x20d0 ||
        ((units[length - 1] as number) >= 48 && (units[length - 1] as number) <= 57))
    )
      target = 0;
    if (look[code] !== 0) {
      if (index >= wordEnd) {
        let start = index;
        while (start > 0 && index - start < 64 && isWordUnit(input.charCodeAt(start - 1))) start -= 1;
        wordEnd = index;
        wordIsMixed = false;
        while (wordEnd < input.length && wordEnd - index < 256 && isWordUnit(input.charCodeAt(wordEnd))) wordEnd += 1;
        for (let at = start; at < wordEnd && !wordIsMixed; at += 1) wordIsMixed = isAsciiLetter(input.charCodeAt(at));
      }
      if (wordIsMixed) target = look[code] as number;
    }
    if (target !== code) changed = true;
    if (target !== 0) put(target, index, index + 1);
    index += 1;
  }
  if (!changed) return undefined;
  map[length] = input.length;
  mapEnd[length] = input.length;
  return { text: textOf(units, length), map, mapEnd };
}

const smallText = 512;
/** UTF-16 units as a string. A call's arguments hold the short ones, which then take a byte a unit where they can. */
export function textOf(units: Uint16Array, length: number): string {
  if (length <= smallText) return String.fromCharCode(...units.subarray(0, length));
  return Buffer.from(units.buffer, units.byteOffset, length * 2).toString('utf16le');
}
