/** Addresses in scripts without capitals, and postal codes that are one by their shape. Made for the first text. */
import type { Finding } from '../finding.ts';
import { once } from '../once.ts';

type AddressShape = { readonly needs: RegExp; readonly pattern: RegExp; readonly type: 'ADDRESS' | 'ZIP' };

const all = (...parts: readonly string[]): RegExp => new RegExp(parts.join(''), 'g');

/** `〒100-0001 東京都…`, and from the prefecture to the house. */
function japanese(): readonly AddressShape[] {
  const letters = '\\u4e00-\\u9fffァ-ヶーぁ-ん々';
  return [
    {
      needs: /〒/,
      pattern: /〒\s?\d{3}-?\d{4}(?:\s*[\u4e00-\u9fffァ-ヶー々ぁ-ん0-9０-９-]{3,40})?/g,
      type: 'ADDRESS',
    },
    {
      needs: /[都道府県]/,
      pattern: all(
        '(?:東京都|北海道|(?:大阪|京都)府|[\\u4e00-\\u9fff]{2,3}県)',
        `[${letters}]{1,16}[市区町村郡][${letters}]{0,16}`,
        '\\d{1,4}(?:[-丁番]\\d{0,4}){0,3}号?',
      ),
      type: 'ADDRESS',
    },
  ];
}

/** Provinces, cities and districts, a street, a number, a room. */
const chinese = (): AddressShape => ({
  needs: /号/,
  pattern: all(
    '(?:[\\u4e00-\\u9fff]{2,8}[省市区县州]){0,4}[\\u4e00-\\u9fff]{1,12}(?:路|街|道|巷|弄|里)',
    '\\s?\\d{1,5}\\s?号(?:[\\u4e00-\\u9fff0-9-]{0,12}(?:室|楼|层|单元|栋|幢))?',
  ),
  type: 'ADDRESS',
});

const korean = (): AddressShape => ({
  needs: /[로길] ?\d/,
  pattern: all(
    '(?:[가-힣]{2,8}(?:특별시|광역시|도|시|군|구) ){0,4}[가-힣0-9]{1,12}(?:로|길)',
    ' ?\\d{1,4}(?:-\\d{1,4})?(?:번길 ?\\d{1,4})?',
  ),
  type: 'ADDRESS',
});

const arabic = (): AddressShape => ({
  needs: /شارع|طريق/,
  pattern: all(
    '(?:\\d{1,5} )?(?:شارع|طريق)',
    ' [\\u0621-\\u064a]{2,14}(?: [\\u0621-\\u064a]{2,14}){0,2}(?:،? ?\\d{1,5})?',
  ),
  type: 'ADDRESS',
});

const hebrew = (): AddressShape => ({
  needs: /רחוב|רח['׳]/,
  pattern: /(?:רחוב|רח['׳]) [\u05d0-\u05ea]{2,12}(?: [\u05d0-\u05ea]{2,12})? \d{1,4}/g,
  type: 'ADDRESS',
});

/** Great Britain: one of the 124 areas of Royal Mail, a district, then the inward code. */
function british(): AddressShape {
  const areas = `
    A[BL] B[ABDHLNRST]? C[ABFHMORTVW] D[ADEGHLNTY] E[CHNX]? F[KY] G[LUY]? H[ADGPRSUX] I[GMPV] JE K[ATWY]
    L[ADELNSU]? M[EKL]? N[EGNPRW]? O[LX] P[AEHLOR] R[GHM] S[AEGKLMNOPRSTWY]? T[ADFNQRSW] UB W[ACDFNRSV]? YO ZE`;
  const area = areas.trim().split(/\s+/).join('|');
  return {
    needs: /\d[A-Z]{2}\b/,
    pattern: all(`\\b(?:${area})`, '\\d[A-Z\\d]? \\d[ABD-HJLNP-UW-Z]{2}\\b'),
    type: 'ZIP',
  };
}

const casedShapes = once((): readonly AddressShape[] => [british()]);
const allShapes = once((): readonly AddressShape[] => [
  ...japanese(),
  chinese(),
  korean(),
  arabic(),
  hebrew(),
  ...casedShapes(),
]);

/** `uncased`: the text holds letters of a script without case. */
export function findAddressShapes(text: string, uncased: boolean, out: Finding[]): void {
  for (const { needs, pattern, type } of uncased ? allShapes() : casedShapes()) {
    if (!needs.test(text)) continue;
    for (const match of text.matchAll(pattern))
      out.push({ start: match.index, end: match.index + match[0].length, type, rank: type === 'ZIP' ? 37 : 45 });
  }
}
