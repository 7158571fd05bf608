/**
 * Postal addresses and codes: a sure core (street with number, flat, box, code with state), then what belongs to it on
 * either side.
 */
import type { Finding } from '../finding.ts';
import { hashWord } from './letters.ts';
import { anyPlace, flag } from './lexicon.ts';
import { isParticle } from './tagger.ts';
import { gap, isPlaceholder, shape, type Tokens } from './tokens.ts';

const set = (words: string): ReadonlySet<number> => new Set(words.trim().split(/\s+/).map(hashWord));

/** Behind the street's name, in English. */
const behind = set(
  'street st str avenue ave av road rd lane ln drive dr boulevard blvd court ct circle cir highway hwy parkway pkwy place pl plaza square sq terrace ter trail trl way crescent cres close grove gardens garden mews row walk alley loop pike turnpike expressway freeway route ridge knoll knolls gateway heights meadow meadows plains point pines orchard hollow junction landing manor mill mission motorway neck oval overpass park passage path plain ramp ranch rapid rest rue run shoal shoals shore shores spring springs spur station stravenue stream summit throughway trace track trafficway tunnel underpass union valley via viaduct view village ville vista wall wells nagar marg salai chowk bridge brook burg bypass camp canyon cape causeway center cliff cliffs club common corner course cove creek crest crossing curve dale dam divide estate estates extension fall falls ferry field fields flat flats ford forest forge fork fort glen green harbor haven hill hills inlet island isle key lake light lights lock lodge',
);
/** Those of them that make an address of a number and a name without any other hint. */
const sureBehind = set(
  'street st avenue ave road rd lane ln drive boulevard blvd court circle highway hwy parkway pkwy terrace crescent turnpike expressway freeway mews nagar marg',
);
/** Before the street's name. */
const before = set(
  'ul ulica ulicy aleja aleje al os osiedle plac rua travessa alameda avenida avda calle paseo carrera camino plaza praça largo via viale piazza piazzale corso vicolo strada rue avenue boulevard chemin allée impasse quai place cours вул вулиця ул улица проспект пр просп переулок пер бульвар площадь площа пл провулок пров шоссе набережная наб тупик майдан майдана trg cesta ulice třída náměstí jalan jl đường phố strasse calea bulevardul strada šetaliste',
);
/** Ends of compound street names: Germanic, Nordic, Hungarian, Finnish, Icelandic, Estonian. */
const compound =
  /(?:stra(?:ss|ß)e|str|gasse|allee|platz|gatan|gata|gate|vägen|vagen|väg|veien|vegen|vei|vej|gade|stræde|stræti|strazti|vegur|gata|braut|slóð|terrasse|terrassen|stígur|holt|katu|kuja|polku|tie|laan|straat|kade|plein|dreef|singel|gracht|gränd|stigen|plads|torget|utca|körút|tänav|puiestee|maantee|caddesi|sokak|sokağı|bulvarı|ulitsa)$/;
const weakCompound =
  /(?:weg|ring|damm|ufer|hof|steig|berg|backen|bakken|torg|tér|park|plass|alle|toft|haven|marken|lund|mark|mäe|põik|tee|rinne|mäki|ranta|bæ|hólar|garður|ergård|gård|gaard|bo|moen|åsen|krok)$/;
const flats = set(
  'apt apartment suite ste unit flat room floor appartement apartamento piso wohnung lägenhet lejlighed кв квартира офис оф',
);
const houses = set('no nr num número numero n dom д дом буд будинок bldg building block');
/** Say that an address follows. */
const context = set(
  'address addresses adresse anschrift dirección direccion domicilio endereço morada indirizzo adres adrese adresa adress osoite adresim cím адрес адреса deliver delivered delivery ship shipped shipping mail mailed send sent residence residing reside lives live located billing wohnhaft wohne habite vivo abito moro bor bo mieszkam bydlím проживает доставить доставка надіслати liefern livrer enviar spedire entregar meet corner',
);
/** Small words inside street and town names. */
const links = set(
  'do dos des dei degli delle della of auf am im an na nad pod sur sous les los las and the und vor bei',
);
const codes = set(
  'zip zipcode postcode postal plz postleitzahl cap cep cp pin pincode индекс індекс postnummer postcode psč irányítószám',
);
const codeLinks = set('code codes código codigo number is is: de ist est es è to the my');
const states = set(
  'al ak az ar ca co ct de fl ga hi id il in ia ks ky la me md ma mi mn ms mo mt ne nv nh nj nm ny nc nd oh ok or pa ri sc sd tn tx ut vt va wa wv wi wy dc pr vi gu aa ae ap on qc bc ab mb sk ns nb nl pe nsw vic qld tas act sa nt',
);
const military = set('apo fpo dpo psc');
const box = hashWord('box');

/** Words that may begin anything here, in a small table by hash: most words of prose are dismissed by one look. */
const roles = new Uint8Array(8_192);
for (const words of [before, flats, context, codes, states, military, new Set([box, hashWord('corner')])])
  for (const hash of words) roles[hash & 8_191] = 1;

const written = (form: number): boolean =>
  form === shape.capital || form === shape.allCapitals || form === shape.mixed || form === shape.initial;
const bitsAt = (all: Tokens, at: number): number => all.bits[at] ?? 0;
const hashAt = (all: Tokens, at: number): number => all.hash[at] ?? 0;
const length = (all: Tokens, at: number): number => (all.end[at] ?? 0) - (all.start[at] ?? 0);
const isNumber = (all: Tokens, at: number): boolean =>
  at >= 0 && at < all.count && all.shape[at] === shape.number && length(all, at) <= 6;
/** Joins parts of one line: spaces, hyphens, the period of a short form. */
const near = (kind: number): boolean =>
  kind === gap.space ||
  kind === gap.hyphen ||
  kind === gap.apostrophe ||
  kind === gap.sentence ||
  kind === gap.period ||
  kind === gap.none;
/** Joins lines and parts of an address. */
const linked = (kind: number): boolean => near(kind) || kind === gap.comma || kind === gap.line;
const common = flag.veryCommon | flag.foreign | flag.capitalised;

/** A word of a street's or a town's name. */
function nameWord(all: Tokens, at: number, small: boolean): boolean {
  const form = all.shape[at] ?? 0;
  if (isParticle(all, at) || (form === shape.lower && links.has(hashAt(all, at)))) return true;
  if ((bitsAt(all, at) & flag.introduces) !== 0 && (bitsAt(all, at) & anyPlace) === 0) return false;
  return written(form) || (small && form === shape.lower && (bitsAt(all, at) & common) === 0);
}

/** Flat, suite or unit and its number, starting at `at`: index of its last token or -1. */
function flat(all: Tokens, at: number): number {
  if (at + 1 >= all.count || !flats.has(hashAt(all, at)) || !near(all.gap[at + 1] ?? 0)) return -1;
  return isNumber(all, at + 1) ? at + 1 : all.shape[at + 1] === shape.initial ? at + 1 : -1;
}

/** What follows a core: flat, town, state, country, code. `at` is the core's last token. */
function forward(text: string, all: Tokens, core: number, small: boolean): number {
  let last = core;
  let words = 0;
  for (let at = core + 1; at < all.count && at < core + 16; at += 1) {
    const between = all.gap[at] ?? 0;
    if (
      !linked(between) ||
      (between === gap.sentence && !behind.has(hashAt(all, at - 1)) && !flats.has(hashAt(all, at - 1)))
    )
      break;
    const nextGap = all.gap[at + 1] ?? 0;
    if (nextGap === gap.colon) break;
    const room = flat(all, at);
    if (room > 0) {
      last = at = room;
      words = 0;
    } else if (isNumber(all, at)) {
      if (
        between === gap.hyphen ||
        (nextGap === gap.hyphen && isNumber(all, at + 1)) ||
        ((all.end[at] ?? 0) < text.length && text.charCodeAt(all.end[at] ?? 0) === 47)
      )
        break;
      last = at;
      words = 0;
    } else if (states.has(hashAt(all, at)) && length(all, at) <= 3 && (all.shape[at] === shape.allCapitals || small)) {
      last = at;
      words = 0;
    } else if (
      written(all.shape[at] ?? 0) &&
      ((between === gap.space &&
        (behind.has(hashAt(all, at)) || nextGap === gap.line || nextGap === gap.comma || flat(all, at + 1) > 0)) ||
        (length(all, at) === 2 && all.shape[at] === shape.allCapitals) ||
        ((all.phrase[at] ?? 0) & anyPlace) !== 0)
    )
      last = at;
    else if (
      nameWord(all, at, small) &&
      words < 4 &&
      ((bitsAt(all, at) & common) === 0 || (bitsAt(all, at) & anyPlace) !== 0 || !written(all.shape[at] ?? 0)) &&
      (bitsAt(all, at) & (flag.title | flag.organisation)) === 0
    ) {
      words += 1;
      if (written(all.shape[at] ?? 0) || (small && !links.has(hashAt(all, at)))) last = at;
    } else break;
  }
  return last;
}

/** What stands before a core: more words of the street, house number, flat. */
function backward(all: Tokens, core: number, small: boolean, words: number): number {
  let first = core;
  for (let at = core - 1; at >= 0 && at >= core - words; at -= 1) {
    if (!near(all.gap[at + 1] ?? 0) || ((all.gap[at + 1] ?? 0) === gap.sentence && length(all, at) > 4)) break;
    if (isNumber(all, at)) {
      first = at;
      if (!isNumber(all, at - 1)) break;
    } else if (nameWord(all, at, small) && (bitsAt(all, at) & (flag.veryCommon | flag.title)) === 0) {
      if (written(all.shape[at] ?? 0) || small) first = at;
    } else break;
  }
  const up = first - 1;
  if (isNumber(all, up) && linked(all.gap[first] ?? 0)) first = up;
  if (first >= 2 && isNumber(all, first - 1) && flat(all, first - 2) === first - 1) first -= 2;
  return first;
}

const endsLine = (all: Tokens, at: number): boolean =>
  at >= all.count || all.gap[at] === gap.line || all.gap[at] === gap.comma;
const corner = hashWord('corner');
const of = hashWord('of');
const and = hashWord('and');

/** "the corner of First Street and 5 Main Road", from `corner` at `at`. */
function crossing(all: Tokens, at: number, small: boolean): readonly [number, number] | undefined {
  let last = at + 1;
  let both = false;
  for (let next = at + 2; next < all.count && next < at + 14 && near(all.gap[next] ?? 0); next += 1) {
    if (hashAt(all, next) === and) {
      if (both) break;
      both = true;
    } else if (
      isNumber(all, next) ||
      (nameWord(all, next, small) && all.shape[next] !== shape.lower) ||
      (all.shape[next] === shape.lower && !both)
    )
      last = next;
    else break;
  }
  return both && last > at + 2 ? [at > 0 && !isPlaceholder(all, at - 1) ? at - 1 : at, last] : undefined;
}

/** Core that begins or ends at `at`, as token indexes. */
function core(
  text: string,
  all: Tokens,
  at: number,
  small: boolean,
  hinted: boolean,
): readonly [number, number] | undefined {
  const word = hashAt(all, at);
  const form = all.shape[at] ?? 0;
  const next = at + 1;
  if (form === shape.number) {
    if (
      !isNumber(all, at) ||
      next >= all.count ||
      all.gap[next] !== gap.space ||
      isNumber(all, next) ||
      (all.shape[next] === shape.initial && !hinted)
    )
      return undefined;
    let last = -1;
    for (
      let name = next;
      name < all.count &&
      name <= at + 5 &&
      (name === next || near(all.gap[name] ?? 0)) &&
      (nameWord(all, name, small) || behind.has(hashAt(all, name)));
      name += 1
    ) {
      if (name > next && all.gap[name] === gap.sentence && !behind.has(hashAt(all, name))) break;
      if (
        name > next &&
        (sureBehind.has(hashAt(all, name)) ||
          (behind.has(hashAt(all, name)) &&
            (hinted || endsLine(all, name + 1) || flat(all, name + 1) > 0 || isNumber(all, at - 1)))) &&
        (written(all.shape[name] ?? 0) || small || length(all, name) <= 4)
      )
        last = name;
      else if (hinted && last < 0 && name > next && (bitsAt(all, name) & common) !== 0) break;
    }
    if (last > 0) return [at, last];
    if (
      hinted &&
      !before.has(hashAt(all, next)) &&
      written(all.shape[next] ?? 0) &&
      (bitsAt(all, next) & common) === 0 &&
      all.gap[next] === gap.space
    )
      return [at, next];
    return undefined;
  }
  if (form === shape.glued || form === shape.caseless) return undefined;
  if (flats.has(word) && flat(all, at) > 0 && (form !== shape.lower || small || (at > 0 && isNumber(all, at - 1))))
    return [at, flat(all, at)];
  if (military.has(word) && next < all.count && all.shape[next] !== shape.glued && (written(form) || small)) {
    // The ship's or unit's name is on the line above.
    let first = at;
    while (
      first > 0 &&
      first > at - 2 &&
      (all.gap[first] === gap.line || near(all.gap[first] ?? 0)) &&
      nameWord(all, first - 1, small) &&
      (bitsAt(all, first - 1) & (flag.veryCommon | flag.foreign)) === 0
    )
      first -= 1;
    return [first, next];
  }
  if (word === corner && hashAt(all, next) === of) return crossing(all, at, small);
  if (word === box && isNumber(all, next) && near(all.gap[next] ?? 0)) {
    let first = at;
    if (at >= 2 && all.shape[at - 1] === shape.initial && all.shape[at - 2] === shape.initial) first = at - 2;
    else if (at >= 1 && length(all, at - 1) === 2 && written(all.shape[at - 1] ?? 0)) first = at - 1;
    else if (at >= 2 && isNumber(all, at - 1) && written(all.shape[at - 2] ?? 0)) first = at - 2;
    else return undefined;
    return [first, next];
  }
  if (
    before.has(word) &&
    next < all.count &&
    (all.gap[next] === gap.space || all.gap[next] === gap.sentence || all.gap[next] === gap.period)
  ) {
    let last = -1;
    for (let name = next; name < all.count && name <= at + 6; name += 1) {
      const between = all.gap[name] ?? 0;
      if (isNumber(all, name) && name > next && (near(between) || between === gap.comma)) return [at, name];
      if (houses.has(hashAt(all, name)) && name > next && isNumber(all, name + 1)) return [at, name + 1];
      if (!near(between) || (!nameWord(all, name, small) && !(name === next && before.has(hashAt(all, name))))) break;
      if (between === gap.sentence && length(all, name - 1) > 4) break;
      last = name;
    }
    if (last > 0 && at > 0 && isNumber(all, at - 1) && near(all.gap[at] ?? 0) && (all.gap[at] ?? 0) !== gap.sentence)
      return [at - 1, last];
    return undefined;
  }
  if (!isNumber(all, next) || !near(all.gap[next] ?? 0) || length(all, next) > 4) return undefined;
  if (written(form) || small || (at > 0 && (isNumber(all, at - 1) || nameWord(all, at - 1, small)))) {
    const name = text.slice(Math.max(all.start[at] ?? 0, (all.end[at] ?? 0) - 12), all.end[at] ?? 0).toLowerCase();
    const grown = length(all, at) > 5;
    if (
      (grown && compound.test(name)) ||
      (at > 0 &&
        /^(?:str|u|út|útja|tér|tere|tee|põik|mnt|pst|gate|vei|veg|vej|weg|katu|tie)$/.test(name) &&
        nameWord(all, at - 1, small))
    )
      return [at, next];
    if (
      (written(form) || small) &&
      (hinted || (at > 0 && isNumber(all, at - 1)) || flat(all, next + 1) > 0) &&
      (bitsAt(all, at) & common) === 0 &&
      (weakCompound.test(name) ||
        hinted ||
        flat(all, next + 1) > 0 ||
        (form !== shape.allCapitals &&
          all.gap[at] === gap.space &&
          all.gap[next] === gap.space &&
          isNumber(all, at - 1)))
    )
      return [at, next];
  }
  return undefined;
}

/** `Springfield, IL 62704` and `zip code: 1234`. */
function code(text: string, all: Tokens, at: number, out: Finding[]): void {
  if (
    states.has(hashAt(all, at)) &&
    all.shape[at] === shape.allCapitals &&
    isNumber(all, at + 1) &&
    length(all, at + 1) === 5 &&
    all.gap[at + 1] === gap.space
  ) {
    const extra =
      all.gap[at + 2] === gap.hyphen && isNumber(all, at + 2) && length(all, at + 2) === 4 ? at + 2 : at + 1;
    out.push({ start: all.start[at] ?? 0, end: all.end[extra] ?? 0, type: 'ADDRESS', rank: 36 });
  }
  if (!codes.has(hashAt(all, at))) return;
  for (let next = at + 1; next < all.count && next <= at + 4; next += 1) {
    const between = all.gap[next] ?? 0;
    if (!(near(between) || between === gap.colon || between === gap.other)) return;
    if (isNumber(all, next) && length(all, next) >= 3) {
      let end = all.end[next] ?? 0;
      if (
        (all.gap[next + 1] === gap.hyphen || all.gap[next + 1] === gap.space) &&
        isNumber(all, next + 1) &&
        length(all, next + 1) <= 4
      )
        end = all.end[next + 1] ?? end;
      out.push({ start: all.start[next] ?? 0, end, type: 'ZIP', rank: 38 });
      return;
    }
    const unit = text.slice(all.start[next] ?? 0, (all.start[next] ?? 0) + 8);
    const mixed = /^(?:[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}|[A-Z]\d[A-Z] ?\d[A-Z]\d|\d{4} ?[A-Z]{2})\b/i.exec(unit);
    if (mixed) {
      out.push({ start: all.start[next] ?? 0, end: (all.start[next] ?? 0) + mixed[0].length, type: 'ZIP', rank: 38 });
      return;
    }
    if (!codeLinks.has(hashAt(all, next))) return;
  }
}

export function findAddresses(text: string, all: Tokens, out: Finding[]): void {
  const small = all.capitals === 0;
  let hint = -20;
  let after = 0;
  for (let at = 0; at < all.count; at += 1) {
    if (roles[hashAt(all, at) & 8_191] === 1) {
      if (context.has(hashAt(all, at))) hint = at;
      code(text, all, at, out);
    } else if (all.shape[at] !== shape.number && all.shape[at + 1] !== shape.number) continue;
    if (at < after) continue;
    const found = core(text, all, at, small, at - hint <= 12);
    if (!found) continue;
    const first = Math.max(
      after,
      backward(all, found[0], small, isNumber(all, found[0]) ? 0 : before.has(hashAt(all, found[0])) ? 1 : 4),
    );
    const last = forward(text, all, Math.max(found[1], at), small);
    out.push({ start: all.start[first] ?? 0, end: all.end[last] ?? 0, type: 'ADDRESS', rank: 45 });
    after = last + 1;
  }
}

/** Addresses of scripts without capitals, and codes that are one by their shape. */
const rows: readonly (readonly [needs: RegExp, pattern: RegExp, type: 'ADDRESS' | 'ZIP'])[] = [
  [/〒/, /〒\s?\d{3}-?\d{4}(?:\s*[\u4e00-\u9fffァ-ヶー々ぁ-ん0-9０-９-]{3,40})?/g, 'ADDRESS'],
  [
    /[都道府県]/,
    /(?:東京都|北海道|(?:大阪|京都)府|[\u4e00-\u9fff]{2,3}県)[\u4e00-\u9fffァ-ヶーぁ-ん々]{1,16}[市区町村郡][\u4e00-\u9fffァ-ヶーぁ-ん々]{0,16}\d{1,4}(?:[-丁番]\d{0,4}){0,3}号?/g,
    'ADDRESS',
  ],
  [
    /号/,
    /(?:[\u4e00-\u9fff]{2,8}[省市区县州]){0,4}[\u4e00-\u9fff]{1,12}(?:路|街|道|巷|弄|里)\s?\d{1,5}\s?号(?:[\u4e00-\u9fff0-9-]{0,12}(?:室|楼|层|单元|栋|幢))?/g,
    'ADDRESS',
  ],
  [
    /[로길] ?\d/,
    /(?:[가-힣]{2,8}(?:특별시|광역시|도|시|군|구) ){0,4}[가-힣0-9]{1,12}(?:로|길) ?\d{1,4}(?:-\d{1,4})?(?:번길 ?\d{1,4})?/g,
    'ADDRESS',
  ],
  [
    /شارع|طريق/,
    /(?:\d{1,5} )?(?:شارع|طريق) [\u0621-\u064a]{2,14}(?: [\u0621-\u064a]{2,14}){0,2}(?:،? ?\d{1,5})?/g,
    'ADDRESS',
  ],
  [/רחוב|רח['׳]/, /(?:רחוב|רח['׳]) [\u05d0-\u05ea]{2,12}(?: [\u05d0-\u05ea]{2,12})? \d{1,4}/g, 'ADDRESS'],
  // Great Britain: one of the 124 areas of Royal Mail, a district, then the inward code.
  [
    /\d[A-Z]{2}\b/,
    /\b(?:A[BL]|B[ABDHLNRST]?|C[ABFHMORTVW]|D[ADEGHLNTY]|E[CHNX]?|F[KY]|G[LUY]?|H[ADGPRSUX]|I[GMPV]|JE|K[ATWY]|L[ADELNSU]?|M[EKL]?|N[EGNPRW]?|O[LX]|P[AEHLOR]|R[GHM]|S[AEGKLMNOPRSTWY]?|T[ADFNQRSW]|UB|W[ACDFNRSV]?|YO|ZE)\d[A-Z\d]? \d[ABD-HJLNP-UW-Z]{2}\b/g,
    'ZIP',
  ],
];

export function findAddressShapes(text: string, uncased: boolean, out: Finding[]): void {
  for (const [needs, pattern, type] of uncased ? rows : rows.slice(-1)) {
    if (!needs.test(text)) continue;
    for (const match of text.matchAll(pattern))
      out.push({ start: match.index, end: match.index + match[0].length, type, rank: type === 'ZIP' ? 37 : 45 });
  }
}
