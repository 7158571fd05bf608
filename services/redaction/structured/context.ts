/**
 * The words around a number, as tags (`context-words.ts`): before it and behind, within a sentence or so, and the name
 * right before it.
 */
import { buildAutomaton } from '../automaton.ts';
import { once } from '../once.ts';
import { pattern } from '../pattern.ts';
import { placeholderEnd } from '../placeholder-end.ts';
import { isDigit } from './ascii.ts';
import { contextWords } from './context-words.ts';

/** What a word makes likelier, or (`not`) less likely. */
export type Tag = string;

type Word = { readonly length: number; readonly isWhole: boolean; readonly tags: readonly Tag[] };
/** The automaton over all words, and what is known of each. */
const tables = once(() => {
  const byWord = new Map<string, { length: number; isWhole: boolean; tags: Tag[] }>();
  for (const [tag, list] of Object.entries(contextWords)) {
    for (const entry of list.trim().split(/\s+/)) {
      const word = entry.replace(/^=/, '').replaceAll('_', ' ');
      const known = byWord.get(word);
      if (known) known.tags.push(tag);
      else byWord.set(word, { length: word.length, isWhole: entry.startsWith('='), tags: [tag] });
    }
  }
  const words: readonly Word[] = [...byWord.values()];
  return { ...buildAutomaton([...byWord.keys()]), words };
});

const beforeUnits = 56;
const afterUnits = 36;

export type Context = {
  /** Tags of the words before, the nearest last; and behind. */
  readonly before: readonly Tag[];
  readonly after: readonly Tag[];
};
/** Either side. */
export const says = ({ before, after }: Context, tag: Tag): boolean => before.includes(tag) || after.includes(tag);

/** Alphabets; the scripts behind them write without spaces, and what stands between is punctuation. */
const isWordLetter = (code: number): boolean =>
  (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code > 0xbf && code < 0x2000);

const beginsWord = (text: string, start: number): boolean =>
  start === 0 || !(isWordLetter(text.charCodeAt(start - 1)) || isDigit(text.charCodeAt(start - 1)));
const endsWord = (text: string, end: number): boolean => end >= text.length || !isWordLetter(text.charCodeAt(end));

/** Tags of the words in [from, to), in the order in which the words end. */
function tagsIn(text: string, from: number, to: number, tags: Tag[]): Tag[] {
  const { next, shift, classOf, firstOutput, outputs, words } = tables();
  let state = 0;
  for (let index = from; index < to; index += 1) {
    if (text.charCodeAt(index) === 91) {
      const end = placeholderEnd(text, index);
      if (end > 0) {
        index = Math.min(end, to) - 1;
        state = 0;
        continue;
      }
    }
    state = next[(state << shift) | (classOf[text.charCodeAt(index)] as number)] as number;
    if (state < firstOutput) continue;
    for (const literal of outputs[state - firstOutput] as readonly number[]) {
      const word = words[literal] as Word;
      const start = index + 1 - word.length;
      if (word.isWhole && (!beginsWord(text, start) || !endsWord(text, index + 1))) continue;
      for (const tag of word.tags) tags.push(tag);
    }
  }
  return tags;
}
/** First or last place in [from, to) where three digits stand together: the words beyond belong to that number. */
function threeDigits(text: string, from: number, to: number, isLast: boolean): number {
  let run = 0;
  for (let count = 0; count < to - from; count += 1) {
    const index = isLast ? to - 1 - count : from + count;
    run = isDigit(text.charCodeAt(index)) ? run + 1 : 0;
    if (run === 3) return isLast ? index + 3 : index - 2;
  }
  return isLast ? from : to;
}

/** Tags of the word that ends at `end`, whole. */
function tagsOfWord(text: string, end: number): readonly Tag[] {
  const { next, shift, classOf, firstOutput, outputs, words } = tables();
  const from = Math.max(0, end - 28);
  let state = 0;
  for (let index = from; index < end; index += 1)
    state = next[(state << shift) | (classOf[text.charCodeAt(index)] as number)] as number;
  if (state < firstOutput || isWordLetter(text.charCodeAt(end))) return [];
  return (outputs[state - firstOutput] as readonly number[]).flatMap((literal) => {
    const word = words[literal] as Word;
    return isWordLetter(text.charCodeAt(end - word.length - 1)) ? [] : word.tags;
  });
}
/** Words whose full stop ends no sentence before a number. */
const shortened =
  /(?<![\p{L}\d])(?:n[ro]|num|ref|inv|ord|acct?|tel|art|pos|ext|cust|doc|reg|lic|ser|cert|dr|mrs?|ms|st|\p{L})$/iu;
const sentenceEnd = /[.?!]["')\]]?[,;]?\s|\n\s*\n/g;
/** Where the last sentence of [from, end) begins. */
function sentenceStart(text: string, from: number, end: number): number {
  const window = text.slice(from, end);
  let start = 0;
  for (const { 0: stop, index } of window.matchAll(sentenceEnd))
    if (stop[0] !== '.' || !shortened.test(window.slice(Math.max(0, index - 6), index))) start = index + stop.length;
  return from + start;
}

/** What may stand between a number and its name: punctuation, `number`, `is`. */
const filler = pattern('iu')`
    (?:[\s:：#=.,"'\x60(*_\-–—…→<>[{|~“”„«‘’‚]
    |(?<![\p{L}])
      (?:nr|no|n[°º]|num|number|nummer|numer|numéro|número|numero|code|id|kod|код|номер|szám|numarası
      |is|ist|est|es|è|é|to|är|er|on|je)
      (?![\p{L}])
    |[はがを是为為는은]|번호|号)+$
  `;
const punctuation = /[\s:：#=.,"'`(*_\-–—…→<>[{|~“”„«‘’‚]+$/;
/** The name right before a number: `CVR: 95691528`, `personas kods ir ...`; or its field's. */
export function nameBefore(text: string, start: number, key: string | undefined): readonly Tag[] {
  const from = sentenceStart(text, Math.max(0, start - 44), start);
  const lead = text.slice(from, start);
  const end = start - (filler.exec(lead)?.[0].length ?? 0);
  const whole = end === start ? [] : tagsOfWord(text, end);
  if (whole.length > 0) return whole;
  // `id`, `number` and `code` may be the name's own last word.
  const own = tagsOfWord(text, start - (punctuation.exec(lead)?.[0].length ?? 0));
  if (own.length > 0 || key === undefined || end > 4) return own;
  const name = readable(key);
  return tagsOfWord(name, name.length);
}

const readable = (key: string): string => key.replaceAll(/[_.-]+/g, ' ');

/** What a number is not, its own sentence says: the one before may speak of an order. */
const denials: ReadonlySet<Tag> = new Set(['not', 'version', 'thing']);
/**
 * The words around [start, end). A window ends at the last number of three and more digits before, whose words are its
 * own; when nothing is left, it does not.
 */
export function contextAt(text: string, start: number, end: number, key: string | undefined): Context {
  const from = Math.max(0, start - beforeUnits);
  const cut = threeDigits(text, from, start, true);
  const sentence = sentenceStart(text, cut, start);
  const before = sentence > cut ? tagsIn(text, cut, sentence, []).filter((tag) => !denials.has(tag)) : [];
  tagsIn(text, sentence, start, before);
  if (before.length === 0 && cut > from) tagsIn(text, from, start, before);
  if (key !== undefined) {
    const name = readable(key);
    tagsIn(name, 0, name.length, before);
  }
  const until = Math.min(text.length, end + afterUnits);
  const after = tagsIn(text, end, threeDigits(text, end, until, false), []);
  return { before, after };
}
