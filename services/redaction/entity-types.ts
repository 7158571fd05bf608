/**
 * The types of values that leave a text, all of them: how one value is recognised however it was written, which fields'
 * names decide, which words speak for it, with whose switch it goes, and how sure a finding must be. Policies may add
 * types of their own patterns, which have no row.
 */
import { isSecretField } from './secrets/key-name.ts';

type EntityRow = {
  /** Whose switch it goes with: `names` is off when the policy's `names` is false. */
  readonly tier: 'structured' | 'secrets' | 'names';
  /** Least score, 0..1, where the policy sets no threshold. Detectors without scores decide by themselves: 0. */
  readonly gate: number;
  /** The same text for the same value however it was written. */
  readonly canonical: (value: string) => string;
  /** Tag in `structured/context-words.ts` of the words that speak for it. */
  readonly tag?: string;
  /**
   * Names of JSON fields, lower case, whose value goes whatever it looks like: sources of alternatives, where `~`
   * stands for one `_`, one dash or nothing. The first row that knows a name decides.
   */
  readonly fieldNames?: readonly string[] | ((name: string) => boolean);
};

const asIs = (value: string): string => value;
const digitsOnly = (value: string): string => value.replaceAll(/\D/g, '');
const lettersAndDigits = (value: string): string => value.replaceAll(/[^\p{L}\p{N}]/gu, '').toUpperCase();
const withColons = (value: string): string =>
  value
    .toLowerCase()
    .replaceAll(/[[\]()]/g, '')
    .replaceAll('-', ':');

const plainMail = /^[\w.+-]+@[\w.-]+$/;
const asMail = (value: string): string =>
  plainMail.test(value)
    ? value.toLowerCase()
    : value
        .normalize('NFKC')
        .toLowerCase()
        .replaceAll(/\s?[[({<]?\s?\b(?:at|@)\b\s?[\])}>]?\s?/g, '@')
        .replaceAll(/\s?[[({<]\s?(?:dot|\.)\s?[\])}>]\s?|\s(?:dot)\s/g, '.')
        .replaceAll(/\s/g, '');
/** A mail address that stands in a name's field is one all the same. */
const asWords = (value: string): string =>
  plainMail.test(value)
    ? value.toLowerCase()
    : value
        .normalize('NFKC')
        .toLowerCase()
        .replaceAll(/[\s.,]+/g, ' ')
        .trim();
function asPhone(value: string): string {
  const digits = digitsOnly(value.replace(/(?:x|ext|#).*$/i, '').replace(/\(0\)/, ''));
  return value.includes('+') ? `+${digits}` : digits.startsWith('00') ? `+${digits.slice(2)}` : digits;
}

const structured = { tier: 'structured', gate: 0.5 } as const;
const secret = { tier: 'secrets', gate: 0, canonical: asIs } as const;
const named = { tier: 'names', gate: 0, canonical: asWords } as const;

export const entityTypes = {
  SECRET_GENERIC: { ...secret, fieldNames: isSecretField },
  SECRET_KEY: secret,
  SECRET_PRIVATE_KEY: secret,
  SECRET_JWT: secret,
  SECRET_CONNECTION: secret,
  SECRET_URL: secret,
  US_SSN: {
    ...structured,
    canonical: digitsOnly,
    tag: 'ssn',
    fieldNames: ['ssn', 'social~security(?:~(?:number|no))?'],
  },
  NATIONAL_ID: {
    ...structured,
    canonical: lettersAndDigits,
    tag: 'id',
    fieldNames: [
      'national~id(?:~number)?|tax~id|tin|itin|nino|nhs~number|steuer~id|steuernummer|personnummer|cpf|curp',
      'rfc|dni|nie|nif|pesel|bsn|codice~fiscale|aadhaar|pan~number|national~insurance~number',
      'id~card(?:~number)?|identity~number|mrn|patient~id',
    ],
  },
  EMAIL: { ...structured, canonical: asMail, fieldNames: ['(?:.*[_-])?e-?mail(?:~address)?'] },
  PHONE: {
    ...structured,
    canonical: asPhone,
    tag: 'phone',
    fieldNames: [
      '(?:.*[_-])?(?:phone|mobile|telephone|telefon|tel|fax|cell|handy)(?:~(?:number|no|nr))?',
      'msisdn|telefono|telefone',
    ],
  },
  CREDIT_CARD: {
    ...structured,
    canonical: digitsOnly,
    tag: 'card',
    fieldNames: ['card~(?:number|no)|credit~card(?:~number)?|cc~number|pan'],
  },
  IBAN: { ...structured, canonical: lettersAndDigits, fieldNames: ['iban|account~iban'] },
  BANK_ACCOUNT: {
    ...structured,
    canonical: asIs,
    fieldNames: ['(?:bank~)?account~number|kontonummer|sort~code|routing~number'],
  },
  CARD_SECURITY_CODE: {
    ...structured,
    canonical: asIs,
    fieldNames: ['cvv2?|cvc2?|cv2|card~security~code'],
  },
  DATE_OF_BIRTH: {
    ...structured,
    canonical: asIs,
    fieldNames: [
      'dob|date~of~birth|birth~date|birth~day|geburtsdatum|geburtstag|date~de~naissance',
      'fecha~de~nacimiento|data~de~nascimento|data~di~nascita|geboortedatum',
    ],
  },
  PASSPORT: {
    ...structured,
    canonical: lettersAndDigits,
    tag: 'passport',
    fieldNames: ['passport(?:~(?:number|no|id))?'],
  },
  DRIVER_LICENSE: {
    ...structured,
    canonical: lettersAndDigits,
    tag: 'license',
    fieldNames: ["(?:driver'?s?|driving)~licen[cs]e(?:~(?:number|no))?"],
  },
  BUSINESS_ID: { ...structured, canonical: lettersAndDigits, tag: 'business' },
  BANK_ROUTING: { ...structured, canonical: lettersAndDigits, tag: 'bank' },
  IP: { ...structured, canonical: withColons, tag: 'ip' },
  MAC: { ...structured, canonical: withColons, tag: 'mac' },
  CRYPTO: { ...structured, canonical: asIs, tag: 'crypto' },
  PERSON: {
    ...named,
    fieldNames: [
      '(?:first|last|full|middle|given|family|maiden|sur|customer|patient|user~full|legal|contact|recipient)~name',
      '(?:cardholder|account~holder)~name|vorname|nachname|prenom|nombre|apellidos?|cognome|sobrenome',
      'имя|фамилия|姓名|氏名',
    ],
  },
  LOCATION: named,
  ADDRESS: {
    ...named,
    fieldNames: [
      '(?:street|postal|home|billing|shipping|mailing|delivery)~address|street|address~line~\\d|anschrift',
      'strasse|straße|direccion|endereco|indirizzo|adresse',
    ],
  },
  ZIP: {
    ...named,
    canonical: asIs,
    fieldNames: ['zip|zip~code|postal~code|postcode|plz|codigo~postal|cep|cap'],
  },
} satisfies Readonly<Record<string, EntityRow>>;

export type EntityType = keyof typeof entityTypes;

const rows: ReadonlyMap<string, EntityRow> = new Map(Object.entries(entityTypes));

/** Type by field name, in the table's order. */
export const fieldRows = [...rows].flatMap(([type, { fieldNames }]) =>
  fieldNames === undefined ? [] : [{ type: type as EntityType, fieldNames }],
);
export const isOfNames = (type: string): boolean => rows.get(type)?.tier === 'names';
export const gateOf = (type: string): number => rows.get(type)?.gate ?? 0;
export const tagOf = (type: EntityType): string => rows.get(type)?.tag ?? 'id';
/** What the same value looks like however it was written; a type of a policy's own pattern has one form, its own. */
export const canonical = (type: string, value: string): string => rows.get(type)?.canonical(value) ?? value;
