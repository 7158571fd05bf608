/**
 * Field names whose whole value is a name, a place or a code, without separators and case. `name` alone is not among
 * them: tools and models have names too.
 */
import type { EntityType } from '../entity-types.ts';
import type { Finding } from '../finding.ts';
import { once } from '../once.ts';
import { wordList } from '../word-list.ts';

const fields: readonly (readonly [type: EntityType, names: string])[] = [
  [
    'PERSON',
    `
    firstname lastname fullname surname givenname middlename maidenname familyname customername patientname
    cardholdername cardholder accountholder holdername contactname recipientname sendername employeename guestname
    vorname nachname prenom nomdefamille nombrecompleto apellido apellidos cognome sobrenome nomecompleto voornaam
    achternaam imie nazwisko fornamn efternamn fornavn etternavn efternavn soyad jmeno prijmeni имя фамилия отчество
    фио 姓名 氏名 名前 이름 성명`,
  ],
  [
    'ADDRESS',
    `
    address streetaddress street addressline addressline1 addressline2 address1 address2 line1 homeaddress
    billingaddress shippingaddress mailingaddress anschrift adresse strasse direccion domicilio indirizzo endereco
    adres adresa adress адрес адреса 地址 住所 주소`,
  ],
  ['LOCATION', 'city town hometown birthplace placeofbirth ort stadt ville ciudad citta cidade miasto город місто'],
  ['ZIP', 'zip zipcode postcode postalcode plz codepostal codigopostal cep cap postnummer psc индекс'],
];

const typesByField = once(
  () => new Map(fields.flatMap(([type, names]) => wordList(names).map((name) => [name, type]))),
);

const longestValue = 160;
/** `key`: the name of the field that `text` is the value of. */
export function findByField(text: string, key: string | undefined, out: Finding[]): void {
  const type = key === undefined ? undefined : typesByField().get(key.toLowerCase().replaceAll(/[^\p{L}\d]/gu, ''));
  if (type === undefined || text.length > longestValue || text.includes('[') || !/[\p{L}\d]/u.test(text)) return;
  const start = text.length - text.trimStart().length;
  out.push({ start, end: text.trimEnd().length, type, rank: 60 });
}
