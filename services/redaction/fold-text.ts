/**
 * Text as patterns should see it: invisible characters dropped, digits of all scripts, full-width forms, dashes and spaces brought to ASCII,
 * look-alike letters inside otherwise Latin words too. Only for text that holds non-ASCII; `map` leads every unit back to the input.
 */
/** First and last code unit of what Unicode lets be ignored when shown. */
const invisible: readonly (readonly [number, number])[] = [
  [0xad, 0xad], [0x34f, 0x34f], [0x61c, 0x61c], [0x115f, 0x1160], [0x17b4, 0x17b5], [0x180b, 0x180f], [0x200b, 0x200f], [0x202a, 0x202e], [0x2060, 0x206f], [0xfe00, 0xfe0f], [0xfeff, 0xfeff], [0xffa0, 0xffa0],
];
const lookAlike: Readonly<Record<string, string>> = { а: 'a', е: 'e', о: 'o', р: 'p', с: 'c', у: 'y', х: 'x', і: 'i', ѕ: 's', ј: 'j', ο: 'o', α: 'a', ε: 'e', ι: 'i', κ: 'k', ν: 'v', ρ: 'p', τ: 't', υ: 'u', А: 'A', В: 'B', Е: 'E', К: 'K', М: 'M', Н: 'H', О: 'O', Р: 'P', С: 'C', Т: 'T', Х: 'X', Ο: 'O', Α: 'A', Β: 'B', Ε: 'E', Ι: 'I' };
/** First digits of the decimal scripts of Unicode's basic plane. */
const zeros = [0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xe50, 0xed0, 0xf20, 0x1040, 0x17e0, 0x1810];

export type FoldedText = { readonly text: string; readonly map: readonly number[] };

function foldUnit(char: string): string {
  const code = char.charCodeAt(0);
  if (invisible.some(([first, last]) => code >= first && code <= last)) return '';
  if (code >= 0xff01 && code <= 0xff5e) return String.fromCharCode(code - 0xfee0);
  const zero = zeros.find((first) => code >= first && code < first + 10);
  if (zero !== undefined) return String(code - zero);
  if (/[\u2010-\u2015\u2212\ufe58\ufe63]/.test(char)) return '-';
  if (/[\u00a0\u1680\u2000-\u200a\u202f\u205f\u3000]/.test(char)) return ' ';
  return char;
}

export function foldText(input: string): FoldedText | undefined {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the ASCII range is what is meant
  if (/^[\u0000-\u007f]*$/.test(input)) return undefined;
  let text = '';
  const map: number[] = [];
  for (let index = 0; index < input.length; index += 1) {
    const char = input[index] ?? '';
    const folded = char.charCodeAt(0) < 0x80 ? char : foldUnit(char);
    for (const unit of folded) {
      const neighbour = `${input[index - 1] ?? ''}${input[index + 1] ?? ''}`;
      text += lookAlike[unit] !== undefined && /[A-Za-z]/.test(neighbour) ? lookAlike[unit] : unit;
      map.push(index);
    }
  }
  map.push(input.length);
  return { text, map };
}
