/**
 * What is an address without a doubt, and how far that reaches: a number and a street, a street and a number, a flat, a
 * box, a post office of the armed forces, a corner of two streets.
 */
import { endsSentence, everyday, flatEnd, isNameWord, isNear, isNumber, isRole } from './address-parts.ts';
import type { Reading, TokenRange } from './address-parts.ts';
import { role, roleOf } from './address-words.ts';
import { flag, has } from './lexicon.ts';
import { bitsAt, endAt, gap, gapAt, hashAt, isPeriod, isPlaceholder, isWritten, lengthAt } from './tokens.ts';
import { shape, shapeAt, startAt, type Tokens } from './tokens.ts';

const anyOf = (ends: string): string => ends.trim().split(/\s+/).join('|');
/** Ends of compound street names: Germanic, Nordic, Hungarian, Finnish, Icelandic, Estonian, Turkish. */
const compound = new RegExp(
  `(?:${anyOf(`
    strasse straße str gasse allee platz gatan gata gate vägen vagen väg veien vegen vei vej gade stræde stræti strazti
    vegur braut slóð terrasse terrassen stígur holt katu kuja polku tie laan straat kade plein dreef singel gracht
    gränd stigen plads torget utca körút tänav puiestee maantee caddesi sokak sokağı bulvarı ulitsa`)})$`,
);
/** Ends of street names, and of other words too. */
const weakCompound = new RegExp(
  `(?:${anyOf(`
    weg ring damm ufer hof steig berg backen bakken torg tér park plass alle toft haven marken lund mark mäe põik tee
    rinne mäki ranta bæ hólar garður ergård gård gaard bo moen åsen krok`)})$`,
);
/** Kinds of street that stand alone behind the name, though they are an end elsewhere. */
const loneEnd = /^(?:str|u|út|útja|tér|tere|tee|põik|mnt|pst|gate|vei|veg|vej|weg|katu|tie)$/;

const endsLine = (all: Tokens, at: number): boolean =>
  at >= all.count || all.gap[at] === gap.line || all.gap[at] === gap.comma;

/** `name` is the word for "street" behind the number at `at`, as `Main Street` is behind 12. */
function endsStreet({ all, small, hinted }: Reading, at: number, name: number): boolean {
  if (!isWritten(shapeAt(all, name)) && !small && lengthAt(all, name) > 4) return false;
  const roles = roleOf(hashAt(all, name));
  if (has(roles, role.sureBehind)) return true;
  if (!has(roles, role.behind)) return false;
  return hinted || endsLine(all, name + 1) || flatEnd(all, name + 1) > 0 || isNumber(all, at - 1);
}

function mayOpenStreet({ all, hinted }: Reading, next: number): boolean {
  if (next >= all.count || all.gap[next] !== gap.space || isNumber(all, next)) return false;
  return all.shape[next] !== shape.initial || hinted;
}

/** `12 Main Street`; with a hint `12 Broadway`. */
function numberThenStreet(reading: Reading, at: number): TokenRange | undefined {
  const { all, small, hinted } = reading;
  const next = at + 1;
  if (!isNumber(all, at) || !mayOpenStreet(reading, next)) return undefined;
  let last = -1;
  for (let name = next; name < all.count && name <= at + 5; name += 1) {
    const isBehind = isRole(all, name, role.behind);
    if (!isBehind && !isNameWord(all, name, small)) break;
    if (name === next) continue;
    if (!isNear(gapAt(all, name)) || (all.gap[name] === gap.sentence && !isBehind)) break;
    if (endsStreet(reading, at, name)) last = name;
    else if (hinted && last < 0 && has(bitsAt(all, name), everyday)) break;
  }
  if (last > 0) return [at, last];
  const isStreet = hinted && isWritten(shapeAt(all, next)) && !has(bitsAt(all, next), everyday);
  return isStreet && !isRole(all, next, role.before) ? [at, next] : undefined;
}

/** `APO AE`; the ship's or unit's name is on the line above. */
function militaryPost(all: Tokens, at: number, small: boolean): TokenRange {
  let first = at;
  while (first > 0 && first > at - 2) {
    if (all.gap[first] !== gap.line && !isNear(gapAt(all, first))) break;
    if (!isNameWord(all, first - 1, small) || has(bitsAt(all, first - 1), flag.veryCommon | flag.foreign)) break;
    first -= 1;
  }
  return [first, at + 1];
}

/** `P.O. Box 5`, `PO Box 5`, `Unit 12 Box 5`, from `box` at `at`. */
function postBox(all: Tokens, at: number): TokenRange | undefined {
  const next = at + 1;
  if (at >= 2 && all.shape[at - 1] === shape.initial && all.shape[at - 2] === shape.initial) return [at - 2, next];
  if (at >= 1 && lengthAt(all, at - 1) === 2 && isWritten(shapeAt(all, at - 1))) return [at - 1, next];
  if (at >= 2 && isNumber(all, at - 1) && isWritten(shapeAt(all, at - 2))) return [at - 2, next];
  return undefined;
}

/** "the corner of First Street and 5 Main Road", from `corner` at `at`. */
function crossing(all: Tokens, at: number, small: boolean): TokenRange | undefined {
  let last = at + 1;
  let both = false;
  for (let next = at + 2; next < all.count && next < at + 14 && isNear(gapAt(all, next)); next += 1) {
    if (isRole(all, next, role.and)) {
      if (both) break;
      both = true;
    } else if (belongsToCrossing(all, next, small, both)) last = next;
    else break;
  }
  if (!both || last <= at + 2) return undefined;
  return [at > 0 && !isPlaceholder(all, at - 1) ? at - 1 : at, last];
}
function belongsToCrossing(all: Tokens, at: number, small: boolean, both: boolean): boolean {
  if (all.shape[at] === shape.lower) return !both;
  return isNumber(all, at) || isNameWord(all, at, small);
}

/** `ul. Mickiewicza 12`, `rue de la Paix, 5`, `12, rue de la Paix`, from the word for "street" at `at`. */
function streetThenNumber(all: Tokens, at: number, small: boolean): TokenRange | undefined {
  let last = -1;
  for (let name = at + 1; name < all.count && name <= at + 6; name += 1) {
    const between = gapAt(all, name);
    if (name > at + 1) {
      if (isNumber(all, name) && (isNear(between) || between === gap.comma)) return [at, name];
      if (isRole(all, name, role.house) && isNumber(all, name + 1)) return [at, name + 1];
    }
    const isName = isNameWord(all, name, small) || (name === at + 1 && isRole(all, name, role.before));
    if (!isName || !isNear(between) || endsSentence(all, name - 1, between)) break;
    last = name;
  }
  const before = gapAt(all, at);
  return last > 0 && isNumber(all, at - 1) && isNear(before) && before !== gap.sentence ? [at - 1, last] : undefined;
}

/** `Goethestraße 17`, `Rákóczi út 4`; with a number before it, a flat behind it or a hint also `Lindenhof 3`. */
function compoundStreet({ text, all, small, hinted }: Reading, at: number): TokenRange | undefined {
  const next = at + 1;
  if (!isNumber(all, next) || !isNear(gapAt(all, next)) || lengthAt(all, next) > 4) return undefined;
  const form = shapeAt(all, at);
  const isName = isWritten(form) || small;
  const isBehindName = at > 0 && isNameWord(all, at - 1, small);
  if (!isName && !isBehindName && !isNumber(all, at - 1)) return undefined;
  const end = text.slice(Math.max(startAt(all, at), endAt(all, at) - 12), endAt(all, at)).toLowerCase();
  if (lengthAt(all, at) > 5 && compound.test(end)) return [at, next];
  if (isBehindName && loneEnd.test(end)) return [at, next];
  if (!isName || has(bitsAt(all, at), everyday)) return undefined;
  if (hinted || flatEnd(all, next + 1) > 0) return [at, next];
  if (!isNumber(all, at - 1)) return undefined;
  const isSpaced = all.gap[at] === gap.space && all.gap[next] === gap.space;
  return (isSpaced && form !== shape.allCapitals) || weakCompound.test(end) ? [at, next] : undefined;
}

/** Flat that says by itself what it is: `Apt 4`, or behind a number `12 apt 4`. */
const isWrittenFlat = ({ all, small }: Reading, at: number): boolean =>
  flatEnd(all, at) > 0 && (all.shape[at] !== shape.lower || small || isNumber(all, at - 1));

const isMilitaryPost = ({ all, small }: Reading, at: number): boolean =>
  at + 1 < all.count && all.shape[at + 1] !== shape.glued && (isWritten(shapeAt(all, at)) || small);

/** A street's name follows the word for "street". */
const opensStreet = (all: Tokens, next: number): boolean =>
  next < all.count && (all.gap[next] === gap.space || isPeriod(gapAt(all, next)));

/** Core that begins or ends at `at`, or holds it. The first kind that fits has the last word. */
export function addressCore(reading: Reading, at: number): TokenRange | undefined {
  const { all, small } = reading;
  const form = shapeAt(all, at);
  if (form === shape.number) return numberThenStreet(reading, at);
  if (form === shape.glued || form === shape.caseless) return undefined;
  const next = at + 1;
  const roles = roleOf(hashAt(all, at));
  if (has(roles, role.flat) && isWrittenFlat(reading, at)) return [at, flatEnd(all, at)];
  if (has(roles, role.military) && isMilitaryPost(reading, at)) return militaryPost(all, at, small);
  if (has(roles, role.corner) && isRole(all, next, role.of)) return crossing(all, at, small);
  if (has(roles, role.box) && isNumber(all, next) && isNear(gapAt(all, next))) return postBox(all, at);
  if (has(roles, role.before) && opensStreet(all, next)) return streetThenNumber(all, at, small);
  return compoundStreet(reading, at);
}
