/** Names in Cyrillic letters: two or three words with capitals, of which one has the form of a name or is known. */
import type { Finding } from '../finding.ts';
import { anyName, has, ordinary } from './lexicon.ts';
import { bitsAt, endAt, gap, gapAt, pushPerson, shape, startAt, type Tokens } from './tokens.ts';

const patronymic = /(?:[оеё]вич|[оеиё]вна|ична|ович|івна|ївна)$/;
const slavicSurname = /(?:[оеё]ва?|ский|ская|цкий|цкая|ський|ська|цький|цька|енко|чук|юк|ин|ина|ых|ich)$/;

const opensSentence = (kind: number): boolean => kind === gap.start || kind === gap.line || kind === gap.sentence;
const wordAt = (text: string, all: Tokens, at: number): string => text.slice(startAt(all, at), endAt(all, at));

function isNameLike(text: string, all: Tokens, at: number): boolean {
  const word = wordAt(text, all, at);
  return patronymic.test(word) || slavicSurname.test(word) || has(bitsAt(all, at), anyName);
}

/** Of three words the first is there because a sentence begins: `Вчера Пётр Волков`, not `Пётр Сергеевич Волков`. */
function isSentenceStart(text: string, all: Tokens, at: number, last: number): boolean {
  if (has(bitsAt(all, at), ordinary)) return true;
  if (last - at !== 2 || !opensSentence(gapAt(all, at))) return false;
  return !patronymic.test(wordAt(text, all, last)) && !has(bitsAt(all, at), anyName);
}

/** Looks at the words from `at` on; answers the last of those it has judged. */
export function findSlavic(text: string, all: Tokens, at: number, out: Finding[]): number {
  let last = at;
  while (last + 1 < all.count && last < at + 2 && all.gap[last + 1] === gap.space) {
    const form = all.shape[last + 1];
    if (form !== shape.capital && form !== shape.initial) break;
    last += 1;
  }
  if (last === at) return at;
  for (let word = at; word <= last; word += 1) {
    if (!isNameLike(text, all, word)) continue;
    pushPerson(all, isSentenceStart(text, all, at, last) ? at + 1 : at, last, 34, out);
    return last;
  }
  return last;
}
