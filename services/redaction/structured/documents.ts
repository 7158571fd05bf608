/**
 * Passports and driving licences: their numbers have no shape of their own, so the words before (or the field's name)
 * decide, and the shape must be one that documents have.
 */
import type { EntityType } from '../entity-types.ts';
import { pattern } from '../pattern.ts';
import type { Context, Tag } from './context.ts';

const passport = pattern()`
    ^(?:[A-Z]{2,3}\d{6,8}|[A-Z]\d{8}|\d{9}|\d{8}[A-Z]?|\d{2} ?\d{2} ?\d{6}|[A-Z0-9]{2}\d{6}[A-Z]
    |[CFGHJKLMNPRTVWXYZ\d]{9}|[A-Z]\d{3}[A-Z]\d{4}|\d{2}[A-Z]{2}\d{5}|[A-Z]\d{7})$
  `;
const license =
  /^(?:[A-Z]{0,3}\d{5,14}[A-Z]{0,2}|[A-Z]{1,3}\d{2}[A-Z0-9]{3,14}|[A-Z0-9]{6,18}|\d{2}[A-Z]{1,3}\d{4,7}[A-Z]?)$/;
const idNumber = /^(?=(?:[A-Z]*\d){5})[A-Z]{0,4}\d[A-Z0-9]{4,16}$/;
const hardware = /^(?=[0-9A-F]*\d)[0-9A-F]{12}$/;
/** Ids in business texts that such words stand next to without meaning them. */
const minimumDigits = 4;

type Document = { readonly type: EntityType; readonly score: number };
/** Its own name right before it says what a number is, whatever country's rule it breaks. */
function numberName(
  compact: string,
  layout: string,
  words: number,
  { before }: Context,
  name: () => readonly Tag[],
): Document | undefined {
  // The next word of the sentence is no part of the number (`3086 6239 5546 and`, `85140636H y`).
  const last = /(?:^|(\D))(\d+)$/.exec(layout);
  const tail = compact.slice(-Number(last?.[2] ?? 0));
  const isHardware = /^(?:12|6-6|2(?: 2){5})?$/.test(layout) && hardware.test(compact);
  if (words > 1 && !isHardware && !/\d/.test(tail) && (tail.length > 1 || last?.[1] === ' ')) return undefined;
  if (words > 6 || /^(?:[12][./-][12][./-][24]|4[./-][12][./-][12])$|_|:/.test(layout)) return undefined;
  const type =
    before.includes('personNumber') && idNumber.test(compact)
      ? 'personNumber'
      : before.includes('businessNumber') && idNumber.test(compact)
        ? 'businessNumber'
        : before.includes('mac') && isHardware
          ? 'mac'
          : undefined;
  if (type === undefined) return undefined;
  const tags = name();
  if (type === 'mac') return tags.includes('mac') ? { type: 'MAC', score: 0.7 } : undefined;
  return tags.includes('personNumber')
    ? { type: 'NATIONAL_ID', score: 0.6 }
    : tags.includes('businessNumber')
      ? { type: 'BUSINESS_ID', score: 0.6 }
      : undefined;
}

/**
 * Type and score of a compact value by what is said before it. `words` = how many groups it was written in; `name` =
 * the word right before it.
 */
export function documentType(
  compact: string,
  layout: string,
  words: number,
  context: Context,
  name: () => readonly Tag[],
): Document | undefined {
  const named = numberName(compact, layout, words, context, name);
  if (named !== undefined) return named;
  const tags = context.before;
  const asPassport = tags.includes('passport') || context.after.includes('passport');
  const asLicense = tags.includes('license') || context.after.includes('license');
  if (!asPassport && !asLicense) return undefined;
  // Dates of issue stand next to such numbers.
  if (/[./:_]/.test(layout) || /^(?:2-2-4|4-2-2)$/.test(layout)) return undefined;
  if (compact.length < 6 || compact.length > 18 || compact.replaceAll(/\D/g, '').length < minimumDigits)
    return undefined;
  const nearest = tags.at(-1);
  if (asPassport && passport.test(compact) && words <= 3 && (nearest !== 'phone' || /[A-Z]/.test(compact)))
    return { type: 'PASSPORT', score: nearest === 'passport' ? 0.75 : 0.55 };
  if (asLicense && license.test(compact) && words <= 5 && nearest !== 'phone')
    return { type: 'DRIVER_LICENSE', score: nearest === 'license' ? 0.7 : 0.5 };
  return undefined;
}
