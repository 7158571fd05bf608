/** E-mail addresses: around an `@`, spaced out, or spelt with words for at and dot. Reads bounded windows only. */
import type { Detector, Task } from '../detector.ts';
import type { Finding } from '../finding.ts';
import { pattern } from '../pattern.ts';
import { isAlnum } from './ascii.ts';

const maxLocal = 64;
const maxDomain = 255;
const localUnit = /[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]/;
const letter = /\p{L}|\p{M}/u;
/** Scripts that write without spaces: text glued to an address is no part of it. */
const isUnspaced = (code: number): boolean =>
  (code >= 0x0e00 && code <= 0x0eff) ||
  (code >= 0x1780 && code <= 0x17ff) ||
  (code >= 0x1100 && code <= 0x11ff) ||
  (code >= 0x2e80 && code <= 0x9fff) ||
  (code >= 0xac00 && code <= 0xd7af) ||
  (code >= 0xf900 && code <= 0xfaff);

/** Endings of file names that follow an `@2x`, and the remote of every git clone: look like addresses, are none. */
const fileEnding = /\.(?:png|jpe?g|gif|svg|webp|pdf|js|mjs|ts|tsx|css|scss|map|json|html?|md|ya?ml)$/i;

function localStart(text: string, at: number): number {
  if (text[at - 1] === '"') {
    const open = text.lastIndexOf('"', at - 2);
    if (open >= 0 && at - open <= maxLocal && !/[\n@]/.test(text.slice(open, at))) return open;
  }
  let start = at;
  let cut = -1;
  while (start > 0 && at - start < maxLocal) {
    const code = text.charCodeAt(start - 1);
    if (code < 0x80 ? !localUnit.test(text[start - 1] as string) : !letter.test(text[start - 1] as string)) break;
    if (
      cut < 0 &&
      start < at &&
      isAlnum(text.charCodeAt(start)) &&
      (isUnspaced(code) || (code > 0x36f && code < 0x2000))
    )
      cut = start;
    start -= 1;
  }
  if (cut >= 0) start = cut;
  // What stands before a value in code, queries and prose is no part of it.
  const local = text.slice(start, at);
  const lead = /^.*[=&?/|{}'`*]|^[.!#$%^~+-]+/.exec(local)?.[0].length ?? 0;
  return start + (lead < local.length ? lead : 0);
}

function domainEnd(text: string, from: number): number {
  if (text[from] === '[') {
    const close = /^\[(?:IPv6:)?[0-9a-fA-F.:]{3,45}\]/.exec(text.slice(from, from + 60));
    return close ? from + close[0].length : -1;
  }
  let end = from;
  let lastDot = -1;
  let goodEnd = -1;
  while (end < text.length && end - from < maxDomain) {
    const code = text.charCodeAt(end);
    if (code === 46) {
      if (end === lastDot + 1 || end === from) break;
      lastDot = end;
      // A sentence that goes on without a space: `...example.com.Please`.
      if (goodEnd > 0 && /[A-Z]/.test(text[end + 1] ?? '') && /[a-z]/.test(text[end - 1] ?? '')) break;
    } else if (code === 45 || code === 95) {
      if (end === from || end === lastDot + 1) break;
    } else if (isAlnum(code)) {
      if (lastDot > 0) goodEnd = end + 1;
    } else if (code > 0x7f && letter.test(text[end] as string)) {
      // Another script after a finished name ends it; at the start of a label it may be the name.
      if (goodEnd === end && end - lastDot > 2) break;
      if (lastDot > 0) goodEnd = end + 1;
    } else break;
    end += 1;
  }
  if (goodEnd < 0) return -1;
  const domain = text.slice(from, goodEnd);
  const label = domain.slice(domain.lastIndexOf('.') + 1);
  if (/^\d/.test(label) && !/^\d{1,3}(?:\.\d{1,3}){3}$/.test(domain)) return -1;
  return label.length >= 2 || letter.test(label) ? goodEnd : -1;
}

/** Where a program puts something in: `$TOKEN`, `${USER}`, `{{user}}`, `%USER%`, `<token>`, `$(whoami)`. */
const variable = pattern()`
    (?:\$[A-Z_][A-Z0-9_]*|[$#]\{[^{}\s]{1,60}\}|\{\{[^{}\n]{1,60}\}\}|%[A-Z_][A-Z0-9_]*%|\$\([^()\n]{1,60}\)
    |:\/\/(?:[^\s/@"'<>,;|()]{0,60}:)?(?:\$(?:env:)?\w{1,60}|<[^<>\s]{1,60}>|\{[^{}\s]{1,60}\}
    |[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+))$
  `;
/** The user that every clone of a repository names. */
const cloneUser = /:\/\/(?:git|hg|svn)$/;

const spacedRight = /^\s{0,2}(?:[A-Za-z0-9-]{1,40}\s{0,2}\.\s{0,2}){1,3}[A-Za-z]{2,12}\b/;
const spacedLeft = /[A-Za-z0-9._%+-]{1,64}\s{1,2}$/;
/** `sam.lee @example.org`: a mailbox by its form. */
const mailboxLeft = /(?<![\w.+-])(?=[\w.+-]*[A-Za-z])[A-Za-z0-9]{1,30}(?:[._+-][A-Za-z0-9]{1,30}){1,3} $/;
const letterSpaced = /(?:[A-Za-z0-9._-] ){3,32}@(?: [A-Za-z0-9._-]){4,40}/;

function atSign(text: string, at: number, out: Finding[]): void {
  const lead = text.slice(Math.max(0, at - 130), at);
  if (
    (lead.includes('$') || lead.includes('://') || /[)}>%]$/.test(lead)) &&
    (variable.test(lead) || cloneUser.test(lead))
  )
    return;
  const start = localStart(text, at);
  if (start < at) {
    const end = domainEnd(text, at + 1);
    const value = end > 0 ? text.slice(start, end) : '';
    if (end > 0) {
      if (!fileEnding.test(value) && !(/^git@/.test(value) && text[end] === ':'))
        out.push({ start, end, type: 'EMAIL', rank: 80, score: 0.95 });
      return;
    }
  }
  // `sam @ example . org`, `sam@ example.org`, `s a m @ e x ...`
  const before = text.slice(Math.max(0, at - 66), at);
  const after = text.slice(at + 1, at + 130);
  const right = spacedRight.exec(after);
  // `word @name` is a mention; an address that is spaced out has a space behind its `@` too.
  const left = start < at ? text.slice(start, at) : (/^\s/.test(after) ? spacedLeft : mailboxLeft).exec(before)?.[0];
  const single = letterSpaced.exec(text.slice(Math.max(0, at - 66), at + 82));
  if (single && !/@ [A-Za-z0-9-]{2}/.test(single[0]))
    out.push({
      start: Math.max(0, at - 66) + single.index,
      end: Math.max(0, at - 66) + single.index + single[0].length,
      type: 'EMAIL',
      rank: 79,
      score: 0.7,
    });
  else if (right && left && /\S/.test(left) && !/^\s*[A-Z][a-z]+\.\s+[A-Z]/.test(right[0]))
    out.push({ start: at - left.length, end: at + 1 + right[0].length, type: 'EMAIL', rank: 78, score: 0.6 });
}

const open = '[\\[({<|*_-]{1,2}';
const close = '[\\])}>|*_-]{1,2}';
const atWords = '(?:at|ät|ad|a|@|arroba|chiocciola|kukac|snabel-?a|et|собака|ат)';
const plainAtWords = '(?:at|ät|arroba|chiocciola|собака)';
const dotWords = '(?:dot|d0t|punkt|punto|ponto|point|точка|\\.)';
const plainDotWords = '(?:dot|punkt|punto|ponto|point|точка)';
const spacedAt = `\\s{0,2}${open}\\s?${atWords}\\s?${close}\\s{0,2}|\\s{1,2}${plainAtWords}\\s{1,2}|\\s{0,2}@\\s{0,2}`;
const spacedDot = `\\s{0,2}${open}\\s?${dotWords}\\s?${close}\\s{0,2}|\\s{1,2}${plainDotWords}\\s{1,2}|\\.`;
const label = '[A-Za-z0-9-]{1,40}';
const mailbox = '[A-Za-z0-9_%+-]{1,40}';
/** Spelt addresses; at least one of the two words must be there, which the trigger literal says. */
const spelt = pattern('gi')`
    ${mailbox}(?:(?:${spacedDot})${mailbox}){0,3}
    (?:${spacedAt})
    ${label}(?:(?:${spacedDot})${label}){0,3}(?:${spacedDot})[A-Za-z]{2,12}(?![A-Za-z])
  `;
const plainAt = /\s(?:at|ät|arroba|chiocciola|собака)\s/i;
const bracketedWord =
  /[[({<|*_-]\s?(?:at|ät|ad|a|@|arroba|chiocciola|dot|d0t|punkt|punto|ponto|point|\.)\s?[\])}>|*_-]/i;
/** `sam.lee at example.org`, where mail is spoken of. */
const mailDomain = /^\S+ at [a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]{2,6}$/;
const dotSpelt = /\s(?:dot|punkt|punto|ponto|point)\s/i;

/** Not every `at` and `dot` makes an address: "meet at example.com" is none, "sam at example dot com" is. */
function isSpeltAddress(value: string, saysMail: boolean): boolean {
  if (bracketedWord.test(value)) return true;
  if (value.includes('@')) return dotSpelt.test(value);
  if (!plainAt.test(value)) return false;
  return dotSpelt.test(value.slice(value.search(plainAt) + 2)) || (saysMail && mailDomain.test(value));
}

const bracketed =
  '(at) [at] {at} <at> (a) (@) [@] {@} (dot) [dot] {dot} <dot> [.] (.) _at_ -at- *at* |at| arroba) arroba]';
const spelled = ['( at )', '[ at ]', ' dot ', ' arroba ', ' chiocciola ', ' punto ', ' punkt ', ' ponto '];
/** What brackets or replaces `@` and `.`; and the word `mail`, near which a plain `at` will do. */
const literals = [...bracketed.split(' '), ...spelled, 'mail'];
const mailWord = literals.indexOf('mail');

/** Where an address may be spelt. */
function speltAt({ text, hits }: Task): readonly number[] {
  const places: number[] = [];
  for (let hit = 0; hit < hits.length; hit += 2) {
    const at = hits[hit + 1] as number;
    // The word is common; only `at` near it makes an address of it.
    if (hits[hit] === mailWord && !text.slice(Math.max(0, at - 70), at + 80).includes(' at ')) continue;
    places.push(at);
  }
  return places;
}

function findAtSigns(text: string, ats: readonly number[], out: Finding[]): void {
  let last = -1;
  for (const at of ats) {
    if (at < last) continue;
    const before = out.length;
    atSign(text, at, out);
    if (out.length > before) last = (out.at(-1) as Finding).end;
  }
}

function findSpelt(text: string, places: readonly number[], out: Finding[]): void {
  let done = -1;
  for (const at of places) {
    if (at < done) continue;
    const from = Math.max(0, at - 110, done);
    const window = text.slice(from, at + 140);
    done = at + 40;
    const saysMail = /mail/i.test(window);
    spelt.lastIndex = 0;
    for (let match = spelt.exec(window); match !== null; match = spelt.exec(window)) {
      if (!isSpeltAddress(match[0], saysMail)) continue;
      const start = from + match.index;
      const end = start + match[0].length;
      out.push({ start, end, type: 'EMAIL', rank: 77, score: 0.7 });
      done = Math.max(done, end);
    }
  }
}

export const emailDetector: Detector = {
  name: 'e-mail addresses',
  tier: 'structured',
  types: ['EMAIL'],
  literals,
  hints: ['ats'],
  find(task) {
    const { text, hints, budget, out } = task;
    const spelled = speltAt(task);
    budget.left -= hints.ats.length * 4 + spelled.length * 8;
    if (budget.left <= 0) return;
    findAtSigns(text, hints.ats, out);
    findSpelt(text, spelled, out);
  },
};
