/**
 * `namesDetector`: PERSON, LOCATION, ADDRESS and ZIP. The second, switchable tier: gazetteer, context and a small trained
 * tagger.
 */
import type { Detector } from '../detector.ts';
import type { EntityType } from '../entity-types.ts';
import type { Finding } from '../finding.ts';
import { findAddresses, findAddressShapes } from './addresses.ts';
import { findIntroduced } from './introductions.ts';
import { mayHoldNames } from './may-hold-names.ts';
import { flag, lexicon } from './lexicon.ts';
import { label, nameEnd, resolveLabels, tag } from './tagger.ts';
import { shape, type Tokens, tokenize } from './tokens.ts';
import { findUncased } from './uncased.ts';

let labels = new Uint8Array(4_096);

/** One more than the engine takes from one text: it goes out whole then, and nobody needs the rest. */
const mostNames = 20_000;

function findTagged(all: Tokens, out: Finding[]): void {
  for (let at = 0; at < all.count; at += 1) {
    const kind = labels[at];
    if (kind === label.none) continue;
    const last = nameEnd(all, labels, at);
    if (out.length > mostNames) return;
    if (kind !== label.organisation)
      out.push({
        start: all.start[at] ?? 0,
        end: all.end[last] ?? 0,
        type: kind === label.person ? 'PERSON' : 'LOCATION',
        rank: kind === label.person ? 30 : 28,
      });
    at = last;
  }
}

/** A word labelled once as a person's name is one everywhere in the text, when it means nothing else. */
function agree(all: Tokens): void {
  const people = new Set<number>();
  for (let at = 0; at < all.count && people.size < 64; at += 1)
    if (labels[at] === label.person && ((all.bits[at] ?? 0) & ordinary) === 0 && all.shape[at] !== shape.initial)
      people.add(all.hash[at] ?? 0);
  if (people.size === 0) return;
  for (let at = 0; at < all.count; at += 1) {
    const form = all.shape[at] ?? 0;
    if (
      labels[at] === label.none &&
      (form === shape.capital || form === shape.allCapitals || form === shape.mixed) &&
      people.has(all.hash[at] ?? 0)
    )
      labels[at] = label.person;
  }
}
const ordinary = flag.veryCommon | flag.dictionary | flag.foreign | flag.capitalised;

/**
 * Field names whose whole value is one of ours, without separators and case. `name` alone is not among them: tools and
 * models have names too.
 */
const keys: Readonly<Record<string, EntityType>> = Object.fromEntries(
  (
    [
      [
        'PERSON',
        'firstname lastname fullname surname givenname middlename maidenname familyname customername patientname cardholdername cardholder accountholder holdername contactname recipientname sendername employeename guestname vorname nachname prenom nomdefamille nombrecompleto apellido apellidos cognome sobrenome nomecompleto voornaam achternaam imie nazwisko fornamn efternamn fornavn etternavn efternavn soyad jmeno prijmeni имя фамилия отчество фио 姓名 氏名 名前 이름 성명',
      ],
      [
        'ADDRESS',
        'address streetaddress street addressline addressline1 addressline2 address1 address2 line1 homeaddress billingaddress shippingaddress mailingaddress anschrift adresse strasse direccion domicilio indirizzo endereco adres adresa adress адрес адреса 地址 住所 주소',
      ],
      ['LOCATION', 'city town hometown birthplace placeofbirth ort stadt ville ciudad citta cidade miasto город місто'],
      ['ZIP', 'zip zipcode postcode postalcode plz codepostal codigopostal cep cap postnummer psc индекс'],
    ] as const
  ).flatMap(([type, names]) => names.split(' ').map((name) => [name, type])),
);

function findByKey(text: string, key: string | undefined, out: Finding[]): void {
  const type = key === undefined ? undefined : keys[key.toLowerCase().replaceAll(/[^\p{L}\d]/gu, '')];
  if (type === undefined || text.length > 160 || text.includes('[') || !/[\p{L}\d]/u.test(text)) return;
  const start = text.length - text.trimStart().length;
  out.push({ start, end: text.trimEnd().length, type, rank: 60 });
}

function anyLabel(count: number): boolean {
  for (let at = 0; at < count; at += 1) if (labels[at] !== label.none) return true;
  return false;
}

function findOnce(text: string): Finding[] {
  const found: Finding[] = [];
  const all = tokenize(text, lexicon());
  if (all.count + 4 > labels.length) labels = new Uint8Array(all.count * 2 + 4);
  labels.fill(label.none, all.count, all.count + 4);
  tag(text, all, labels);
  resolveLabels(all, labels);
  if (anyLabel(all.count)) {
    agree(all);
    findTagged(all, found);
    if (found.length > mostNames) return found;
  }
  findIntroduced(text, all, found);
  if (all.uncased) findUncased(text, found);
  findAddresses(text, all, found);
  if (all.numbers) findAddressShapes(text, all.uncased, found);
  return disjoint(found);
}

/** Findings that overlap become one, of the most trusted type: what two rules saw in part goes out whole. */
function disjoint(found: Finding[]): Finding[] {
  found.sort((a, b) => a.start - b.start);
  const merged: Finding[] = [];
  for (const next of found) {
    const before = merged.at(-1);
    if (before === undefined || next.start >= before.end) merged.push(next);
    else
      merged[merged.length - 1] = {
        ...(next.rank > before.rank ? next : before),
        start: before.start,
        end: Math.max(before.end, next.end),
      };
  }
  return merged;
}

/** What a unit of text costs here, in budget steps: its words, three times. */
const unitSteps = 1 / 24;

export const namesDetector: Detector = {
  name: 'names',
  tier: 'names',
  types: ['PERSON', 'LOCATION', 'ADDRESS', 'ZIP'],
  literals: [],
  wants: ({ given }) => mayHoldNames(given),
  find({ text, key, budget, out }) {
    budget.left -= text.length * unitSteps;
    if (budget.left <= 0) return;
    findByKey(text, key, out);
    for (const finding of findOnce(text)) out.push(finding);
  },
};
