/**
 * Names of JSON fields that decide by themselves: what stands there is replaced whatever it looks like. In the
 * languages that schemas are written in; those of secrets are the ones of `secrets/key-name.ts`.
 */
import { isSecretField } from './secrets/key-name.ts';
import { saysNothing } from './secrets/plausible.ts';

const rows: readonly (readonly [type: string, name: RegExp])[] = [
  ['US_SSN', /^(?:ssn|social[_-]?security(?:[_-]?(?:number|no))?|socialsecuritynumber)$/],
  [
    'NATIONAL_ID',
    /^(?:national[_-]?id(?:[_-]?number)?|nationalid|tax[_-]?id|taxid|tin|itin|nino|nhs[_-]?number|steuer[_-]?id|steuernummer|personnummer|cpf|curp|rfc|dni|nie|nif|pesel|bsn|codice[_-]?fiscale|aadhaar|pan[_-]?number|national[_-]?insurance[_-]?number|id[_-]?card(?:[_-]?number)?|identity[_-]?number|mrn|patient[_-]?id)$/,
  ],
  ['EMAIL', /^(?:(?:.*[_-])?e-?mail(?:[_-]?address)?|emailaddress)$/],
  [
    'PHONE',
    /^(?:(?:.*[_-])?(?:phone|mobile|telephone|telefon|tel|fax|cell|handy)(?:[_-]?(?:number|no|nr))?|phonenumber|mobilenumber|msisdn|telefono|telefone)$/,
  ],
  [
    'CREDIT_CARD',
    /^(?:card[_-]?(?:number|no)|cardnumber|credit[_-]?card(?:[_-]?number)?|creditcard|cc[_-]?number|pan)$/,
  ],
  ['IBAN', /^(?:iban|account[_-]?iban)$/],
  ['BANK_ACCOUNT', /^(?:(?:bank[_-]?)?account[_-]?number|accountnumber|kontonummer|sort[_-]?code|routing[_-]?number)$/],
  ['CARD_SECURITY_CODE', /^(?:cvv2?|cvc2?|cv2|card[_-]?security[_-]?code)$/],
  [
    'DATE_OF_BIRTH',
    /^(?:dob|date[_-]?of[_-]?birth|dateofbirth|birth[_-]?date|birthdate|birth[_-]?day|geburtsdatum|geburtstag|date[_-]?de[_-]?naissance|fecha[_-]?de[_-]?nacimiento|data[_-]?de[_-]?nascimento|data[_-]?di[_-]?nascita|geboortedatum)$/,
  ],
  ['PASSPORT', /^passport(?:[_-]?(?:number|no|id))?$|^passportnumber$/],
  ['DRIVER_LICENSE', /^(?:driver'?s?|driving)[_-]?licen[cs]e(?:[_-]?(?:number|no))?$/],
  [
    'PERSON',
    /^(?:(?:first|last|full|middle|given|family|maiden|sur|customer|patient|user[_-]?full|legal|contact|recipient|cardholder|account[_-]?holder)[_-]?name|vorname|nachname|prenom|nombre|apellidos?|cognome|sobrenome|fullname|surname|firstname|lastname|имя|фамилия|姓名|氏名)$/,
  ],
  [
    'ADDRESS',
    /^(?:(?:street|postal|home|billing|shipping|mailing|delivery)[_-]?address|street|address[_-]?line[_-]?\d|anschrift|strasse|straße|direccion|endereco|indirizzo|adresse)$/,
  ],
  ['ZIP', /^(?:zip|zip[_-]?code|postal[_-]?code|postcode|plz|codigo[_-]?postal|cep|cap)$/],
];
/** Types that belong to the names tier and go with its switch. */
export const nameTypes = new Set(['PERSON', 'LOCATION', 'ADDRESS', 'ZIP']);

const known = new Map<string, string | undefined>();
const remembered = 5_000;
/** `key`: lower case. */
export function fieldType(key: string): string | undefined {
  if (key.length > 64) return undefined;
  if (known.has(key)) return known.get(key);
  const type = isSecretField(key) ? 'SECRET_GENERIC' : rows.find(([, name]) => name.test(key))?.[0];
  if (known.size >= remembered) known.clear();
  known.set(key, type);
  return type;
}

/**
 * A template, a mask or a type's name stands in a secret's field, or a count (`"pass": 12`): nothing is there to take
 * out.
 */
export const isEmptyHanded = (type: string, value: string, isNumber: boolean): boolean =>
  type === 'SECRET_GENERIC' && (isNumber ? value.length < 4 : saysNothing(value));
