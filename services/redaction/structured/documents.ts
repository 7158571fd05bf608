/** Passports and driving licences: their numbers have no shape of their own, so the words before (or the field's name) decide, and the shape must be one that documents have. */
import type { Context } from './context-words.ts';

const passport = /^(?:[A-Z]{2,3}\d{6,8}|[A-Z]\d{8}|\d{9}|\d{8}[A-Z]?|\d{2} ?\d{2} ?\d{6}|[A-Z0-9]{2}\d{6}[A-Z]|[CFGHJKLMNPRTVWXYZ\d]{9}|[A-Z]\d{3}[A-Z]\d{4}|\d{2}[A-Z]{2}\d{5}|[A-Z]\d{7})$/;
const license = /^(?:[A-Z]{0,3}\d{5,14}[A-Z]{0,2}|[A-Z]{1,3}\d{2}[A-Z0-9]{3,14}|[A-Z0-9]{6,18}|\d{2}[A-Z]{1,3}\d{4,7}[A-Z]?)$/;
/** Ids in business texts that such words stand next to without meaning them. */
const minimumDigits = 4;

/** Type and score of a compact value by what is said before it. `words` = how many groups it was written in. */
export function documentType(compact: string, layout: string, words: number, context: Context): { readonly type: string; readonly score: number } | undefined {
  const tags = context.before;
  const asPassport = tags.includes('passport') || context.after.includes('passport');
  const asLicense = tags.includes('license') || context.after.includes('license');
  if (!asPassport && !asLicense) return undefined;
  // Dates of issue stand beside such numbers.
  if (/[./:_]/.test(layout) || /^(?:2-2-4|4-2-2)$/.test(layout)) return undefined;
  if (compact.length < 6 || compact.length > 18 || compact.replaceAll(/\D/g, '').length < minimumDigits) return undefined;
  const nearest = tags.at(-1);
  if (asPassport && passport.test(compact) && words <= 3 && (nearest !== 'phone' || /[A-Z]/.test(compact))) return { type: 'PASSPORT', score: nearest === 'passport' ? 0.75 : 0.55 };
  if (asLicense && license.test(compact) && words <= 5 && nearest !== 'phone') return { type: 'DRIVER_LICENSE', score: nearest === 'license' ? 0.7 : 0.5 };
  return undefined;
}
