/**
 * Names that a cased text announces: titles, "my name is", labels, salutations, signatures, in about twenty languages.
 * Works on tokens near the announcing word.
 */
import type { Finding } from '../finding.ts';
import { hashWord } from './letters.ts';
import { anyName, anyPlace, flag } from './lexicon.ts';
import { isParticle } from './tagger.ts';
import { gap, shape, type Tokens } from './tokens.ts';

const set = (words: string): ReadonlySet<number> => new Set(words.trim().split(/\s+/).map(hashWord));

/** Announce by themselves, whatever follows: "je m'appelle", "nazywam się", "зовут". */
const verbs = set(
  'heisse heiße appelle nomme llamo llama chiamo chiama chamo chama heet nazywam nazywa heter hedder adım ismim jmenuji jmenuje volám hívnak зовут звать звати звуть numesc named',
);
/** Announce when a word for "is" or a colon follows: "name is", "nom :", "имя:". */
const nouns = set(
  'name names nom prénom nombre nome naam imię nazwisko namn navn nimi nimeni jméno meno numele имя фамилия імя прізвище фио піб tên nama jina signed contact attn attention patient customer recipient beneficiary holder cardholder employee applicant tenant client payee author candidate guest traveller passenger sender kunde kundin empfänger absender cliente klient klant kund asiakas müşteri zákazník получатель отправитель клиент пациент отримувач клієнт paciente paziente patiënt pacjent pasient destinatario destinataire beneficiario bénéficiaire titular titulaire intestatario ontvanger odbiorca mottagare modtager mottaker alıcı příjemce begünstigter kontoinhaber від кому кто',
);
const copulas = set('is was ist est es è é jest to är er on je là la adalah');
/** Between a verb and the name: "jmenuji se". */
const reflexives = set('se się sa me mich');
/** Weak: what follows must look like a name in itself. */
const weak = set(
  'am im m bin suis soy sono sou ben jestem olen là by dear hi hello hey liebe lieber cher chère estimado estimada querido querida gentile caro cara prezado prezada beste geachte szanowny szanowna drogi kära kjære kære hyvä vážený vážená milá milý уважаемый уважаемая дорогой дорогая шановний шановна hola hallo bonjour ciao olá hej merhaba ahoj привет привіт salut ik jestem',
);
/** Close a letter; the name stands on the next line. */
const closings = set(
  'sincerely regards cheers thanks grüßen grüße cordialement saludos atentamente saluti groeten pozdrawiam hälsningar hilsen saygılarımla уважением повагою best yours',
);
/** Titles that are one even in small letters. */
const sureTitles = set(
  'mr mrs ms mx dr prof herr herrn frau fräulein monsieur madame mademoiselle mme mlle señor señora señorita senhor senhora signor signora signorina mijnheer meneer mevrouw dhr mevr господин госпожа господину госпоже пан пані пани fröken sayın shri smt',
);
const suffixes = set('jr sr ii iii iv md phd dds esq');

const bitsAt = (all: Tokens, at: number): number => all.bits[at] ?? 0;
const common = flag.veryCommon | flag.dictionary | flag.foreign | flag.capitalised;
const isWritten = (form: number): boolean =>
  form === shape.capital || form === shape.allCapitals || form === shape.mixed || form === shape.initial;

/**
 * Last token of the name that starts at `first`, or -1. `firm`: the announcement is sure, so words known as common may
 * be names.
 */
function nameFrom(all: Tokens, first: number, firm: boolean): number {
  let last = -1;
  let evidence = firm ? 1 : 0;
  const small = all.capitals === 0;
  if (first < all.count && sureTitles.has(all.hash[first] ?? 0)) return -1;
  for (let at = first; at < all.count && at < first + 6; at += 1) {
    const form = all.shape[at] ?? 0;
    const between = all.gap[at] ?? 0;
    if (at > first) {
      const initial = all.shape[at - 1] === shape.initial && (between === gap.sentence || between === gap.period);
      const suffix = between === gap.comma && suffixes.has(all.hash[at] ?? 0);
      if (
        !(
          between === gap.space ||
          between === gap.hyphen ||
          between === gap.apostrophe ||
          between === gap.none ||
          initial ||
          suffix
        )
      )
        break;
    }
    const bits = bitsAt(all, at);
    if (small && form === shape.lower) {
      if (
        ((bits & (flag.veryCommon | flag.foreign)) !== 0 && (bits & (flag.given | flag.surname)) === 0) ||
        at > first + 1 ||
        isParticle(all, at)
      )
        break;
      if (at > first && (bits & anyName) === 0) break;
      if (!firm && (bits & anyName) === 0) break;
      evidence += 1;
      last = at;
    } else if (isWritten(form)) {
      const plain = (bits & common) !== 0 && (bits & (flag.given | flag.surname)) === 0;
      // After the first word a common one ends the name, unless it is sure and a second word is due.
      if (plain && (!firm || at > first)) break;
      if ((bits & (flag.organisation | flag.introduces)) !== 0 && (bits & anyName) === 0) break;
      if ((bits & (flag.given | flag.rareGiven)) !== 0 || ((bits & common) === 0 && at > first)) evidence += 1;
      if ((bits & common) === 0 && (bits & anyPlace) === 0 && form === shape.capital) evidence += 1;
      last = at;
    } else if (!(last >= 0 && isParticle(all, at) && at + 1 < all.count)) break;
  }
  return evidence > 0 ? last : -1;
}

function push(all: Tokens, first: number, last: number, rank: number, out: Finding[]): void {
  if (last >= first) out.push({ start: all.start[first] ?? 0, end: all.end[last] ?? 0, type: 'PERSON', rank });
}

/** Index of the token behind an announcement at `at`, or -1; and whether it is sure. */
function announced(
  text: string,
  all: Tokens,
  at: number,
): { readonly first: number; readonly firm: boolean } | undefined {
  const word = all.hash[at] ?? 0;
  let next = at + 1;
  if (next >= all.count) return undefined;
  const after = all.gap[next] ?? 0;
  if (verbs.has(word)) {
    if (reflexives.has(all.hash[next] ?? 0)) next += 1;
    return { first: next, firm: true };
  }
  if (nouns.has(word)) {
    if (after === gap.colon || (after === gap.handle && text.charCodeAt(all.end[at] ?? 0) === 61))
      return { first: next, firm: true };
    if (copulas.has(all.hash[next] ?? 0) && next + 1 < all.count)
      return { first: next + 1, firm: (all.shape[next + 1] ?? 0) !== shape.lower };
    if (after === gap.space && isWritten(all.shape[next] ?? 0)) return { first: next, firm: false };
  }
  if (
    closings.has(word) &&
    (after === gap.line || after === gap.comma) &&
    text.slice(all.end[at] ?? 0, all.start[next] ?? 0).includes('\n')
  )
    return { first: next, firm: false };
  if (weak.has(word) && (after === gap.space || after === gap.comma)) return { first: next, firm: false };
  return undefined;
}

/** A title and the name behind it. */
function titled(all: Tokens, at: number, out: Finding[]): void {
  const next = at + 1;
  if (next >= all.count) return;
  const between = all.gap[next] ?? 0;
  const sure = sureTitles.has(all.hash[at] ?? 0);
  if (!(between === gap.space || (sure && (between === gap.sentence || between === gap.period)))) return;
  if (!sure && !isWritten(all.shape[at] ?? 0)) return;
  if ((bitsAt(all, next) & flag.title) !== 0 && sureTitles.has(all.hash[next] ?? 0)) return;
  const last = nameFrom(all, next, sure);
  if (last >= next && (sure || (bitsAt(all, next) & (flag.organisation | common)) === 0))
    push(all, next, last, sure ? 55 : 32, out);
}

const here = hashWord('here');
const speaking = set('speaking calling writing');
const patronymic = /(?:[оеё]вич|[оеиё]вна|ична|ович|івна|ївна)$/;
const slavicSurname = /(?:[оеё]ва?|ский|ская|цкий|цкая|ський|ська|цький|цька|енко|чук|юк|ин|ина|ых|ich)$/;

/** Two or three capitalised Cyrillic words of which one is shaped like a surname or a patronymic, or is known. */
function cyrillic(text: string, all: Tokens, at: number, out: Finding[]): number {
  let last = at;
  while (
    last + 1 < all.count &&
    last < at + 2 &&
    all.gap[last + 1] === gap.space &&
    (all.shape[last + 1] === shape.capital || all.shape[last + 1] === shape.initial)
  )
    last += 1;
  if (last === at) return at;
  for (let word = at; word <= last; word += 1) {
    const written = text.slice(all.start[word] ?? 0, all.end[word] ?? 0);
    if (!patronymic.test(written) && !slavicSurname.test(written) && (bitsAt(all, word) & anyName) === 0) continue;
    const first =
      (bitsAt(all, at) & common) !== 0 ||
      (opensSentence(all.gap[at] ?? 0) &&
        last - at === 2 &&
        !patronymic.test(text.slice(all.start[last] ?? 0, all.end[last] ?? 0)) &&
        (bitsAt(all, at) & anyName) === 0)
        ? at + 1
        : at;
    push(all, first, last, 34, out);
    return last;
  }
  return last;
}
const opensSentence = (kind: number): boolean => kind === gap.start || kind === gap.line || kind === gap.sentence;

export function findIntroduced(text: string, all: Tokens, out: Finding[]): void {
  for (let at = 0; at < all.count; at += 1) {
    const bits = bitsAt(all, at);
    if ((bits & flag.title) !== 0) titled(all, at, out);
    if ((bits & flag.introduces) !== 0) {
      const found = announced(text, all, at);
      if (found) push(all, found.first, nameFrom(all, found.first, found.firm), found.firm ? 56 : 33, out);
    }
    if (all.shape[at] !== shape.capital) continue;
    if (
      at + 1 < all.count &&
      (all.hash[at + 1] === here || speaking.has(all.hash[at + 1] ?? 0)) &&
      all.gap[at + 1] === gap.space &&
      (bits & common) === 0
    ) {
      const before =
        at > 0 &&
        all.gap[at] === gap.space &&
        all.shape[at - 1] === shape.capital &&
        (bitsAt(all, at - 1) & common) === 0
          ? at - 1
          : at;
      push(all, before, at, 33, out);
    }
    const code = text.charCodeAt(all.start[at] ?? 0);
    if (code >= 0x400 && code < 0x530) at = cyrillic(text, all, at, out);
  }
}
