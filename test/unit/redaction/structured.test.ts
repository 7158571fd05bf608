/**
 * Numbers, codes and addresses of the structured tier. Long because it is tables of cases, a row an example.
 */
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import examples from 'libphonenumber-js/mobile/examples';
import { stdnum } from 'stdnum';
import { checkSync } from 'recheck';
import { describe, expect, test } from 'vitest';
import { type RedactionPolicy, defaultPolicy, redact } from '../../../services/redaction/index.ts';
import { idCodes } from '../../../services/redaction/structured/id-codes.ts';
import { numericIds } from '../../../services/redaction/structured/id-numbers.ts';
import { detectors } from '../../../services/redaction/detectors.ts';

const policy: RedactionPolicy = { ...defaultPolicy, names: false };
const types = (text: string): string[] =>
  redact(text, policy).spans.map(({ type, start, end }) => `${type} ${text.slice(start, end)}`);

describe('national ids: what a passing number is, another library says too', () => {
  /** Numbers are made here from a seed; the oracle picks those that pass. */
  const random = (() => {
    let state = 7;
    return (below: number): number => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((state / 2_147_483_648) * below);
    };
  })();
  const number = (length: number): string =>
    Array.from({ length }, (_, index) => (index === 0 ? 1 + random(9) : random(10))).join('');
  const oracles = {
    NL_BSN: [9, stdnum['NL']?.['bsn']],
    DE_IDNR: [11, stdnum['DE']?.['idnr']],
    BR_CPF: [11, stdnum['BR']?.['cpf']],
    HR_OIB: [11, stdnum['HR']?.['oib']],
    AU_TFN: [9, stdnum['AU']?.['tfn']],
    AU_ABN: [11, stdnum['AU']?.['abn']],
    RU_INN: [12, stdnum['RU']?.['inn']],
    KR_BRN: [10, stdnum['KR']?.['brn']],
    AU_ACN: [9, stdnum['AU']?.['acn']],
    BR_CNPJ: [14, stdnum['BR']?.['cnpj']],
    TR_TCKN: [11, stdnum['TR']?.['tckimlik']],
  } as const;
  test.each(Object.entries(oracles))('%s', (id, [length, oracle]) => {
    const rows = (numericIds().get(length) ?? []).filter((row) => row.id === id);
    expect(rows.length).toBeGreaterThan(0);
    let passing = 0;
    for (let count = 0; count < 6_000; count += 1) {
      const value = number(length);
      if (oracle?.validate(value).isValid !== true) continue;
      passing += 1;
      expect([id, value, rows.some((row) => row.test.test(value) && (row.check?.(value) ?? true))]).toEqual([
        id,
        value,
        true,
      ]);
    }
    expect(passing).toBeGreaterThan(0);
  });
});

describe('phones of every country', () => {
  const numbers = Object.entries(examples).flatMap(([country, national]) => {
    const parsed = parsePhoneNumberFromString(national, country as keyof typeof examples);
    return parsed ? [[country, parsed] as const] : [];
  });
  test('in international form, plain and spaced', () => {
    const missed = numbers.filter(
      ([, phone]) =>
        ![phone.number, phone.formatInternational()].every((form) =>
          types(`x ${form} y`).some((found) => found === `PHONE ${form}`),
        ),
    );
    expect(missed.map(([country, phone]) => `${country} ${phone.formatInternational()}`)).toEqual([]);
  });
  test('in national form where a word says phone: 97 of 100', () => {
    const missed = numbers.filter(
      ([, phone]) =>
        phone.nationalNumber.length >= 7 && types(`my phone number is ${phone.formatNational()}, thanks`).length === 0,
    );
    expect(missed.length / numbers.length).toBeLessThan(0.03);
  });
});

test.each([
  ['write to s\u0430m@ex\u0430mple.com', 'EMAIL'],
  ['𝐬𝐚𝐦@𝐞𝐱𝐚𝐦𝐩𝐥𝐞.𝐜𝐨𝐦', 'EMAIL'],
  ['4️⃣0️⃣1️⃣2️⃣8888 8888 1881', 'CREDIT_CARD'],
  ['४०१२ ८८८८ ८८८८ १८८१', 'CREDIT_CARD'],
  ['4012–8888–8888–1881', 'CREDIT_CARD'],
  ['4012\u00ad8888\u00ad8888\u00ad1881', 'CREDIT_CARD'],
  ['sam\\u0040example.org', 'EMAIL'],
  ['sam&#x40;example&#46;org', 'EMAIL'],
  ['sam%2540example.org', 'EMAIL'],
  [Buffer.from(Buffer.from('contact sam@example.org now please').toString('base64')).toString('base64'), 'EMAIL'],
  [Buffer.from('mail sam@example.org').toString('hex'), 'EMAIL'],
  ['sam [at] example [dot] org', 'EMAIL'],
  ['sam AT example DOT org', 'EMAIL'],
  ['s a m @ e x a m p l e . o r g', 'EMAIL'],
  ['4 0 1 2 8 8 8 8 8 8 8 8 1 8 8 1', 'CREDIT_CARD'],
  ['4012,8888,8888,1881', 'CREDIT_CARD'],
  ['D E 8 9 3 7 0 4 0 0 4 4 0 5 3 2 0 1 3 0 0 0', 'IBAN'],
  ['5 3 6 - 2 2 - 1 2 3 4', 'US_SSN'],
  ['192[.]168[.]17[.]4', 'IP'],
  ['电子邮件sam@example.org。', 'EMAIL'],
  ['привет,sam@example.orgпожалуйста', 'EMAIL'],
  ['卡号4012888888881881。', 'CREDIT_CARD'],
  ['ssn536221234', 'US_SSN'],
  ['IBANDE89370400440532013000', 'IBAN'],
  ['AA:BB:CC:DD:EE:FF', 'MAC'],
  ['fe80::1%eth0', 'IP'],
  ['0x52908400098527886E0F7030069857D2E4169EE7', 'CRYPTO'],
  ['bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq', 'CRYPTO'],
  ['née le 12 mars 1980', 'DATE_OF_BIRTH'],
  ['生年月日：1980年3月12日', 'DATE_OF_BIRTH'],
  ['passport no. C01X00T47', 'PASSPORT'],
  ["driver's license D1234567", 'DRIVER_LICENSE'],
  ['USt-IdNr. DE123456789', 'BUSINESS_ID'],
])('%s is %s', (text, type) => expect(types(text).map((found) => found.split(' ')[0])).toContain(type));

test.each([
  'version 10.2.3.4',
  'Chrome/120.0.6099.109',
  'order number 9657709716 shipped on 2026-05-17',
  'invoice 5555 5555 5555 4445',
  '1782748872',
  'pi 3.14159265358979',
  'ISBN 978-3-16-148410-0',
  '12:30:45.123',
  'call_a8F3kLm2Qp9RstUv4WxYz012',
  '1,234,567.89',
  'std::vector<int> a::b',
  'lat 52.520008, lon 13.404954',
  'icon@2x.png',
  'npm i react@18.2.0',
  'git@github.com:org/repo.git',
  'page 123-456',
  'tracking 1Z999AA10123456784',
  'we were at example.com yesterday',
  '1000000 2000000 3000000',
  '{"created":1782748872,"tokens":1234567}',
  'ean 4006381333931',
  'dogs born in spring',
  'EUR 12.345.678',
])('stays: %s', (text) => expect(types(text)).toEqual([]));

test('no pattern of the id tables can be stalled', () => {
  const rows = [...idCodes, ...[...numericIds().values()].flat()];
  const unsafe = [
    ...new Set(rows.flatMap(({ test: pattern, layout }) => [pattern.source, ...(layout ? [layout.source] : [])])),
  ].filter((source) => checkSync(source, '', { timeout: 2_000 }).status === 'vulnerable');
  expect(unsafe).toEqual([]);
}, 60_000);
describe.each(detectors)('$name', ({ types: found, literals, foreignLiterals = [] }) => {
  test('trigger literals are lower-case ASCII, foreign ones lower case', () => {
    expect(literals.filter((literal) => literal !== literal.toLowerCase() || !/^[ -~]+$/.test(literal))).toEqual([]);
    expect(foreignLiterals.filter((literal) => literal !== literal.toLowerCase())).toEqual([]);
  });
  test('says what it finds', () => expect(found.length).toBeGreaterThan(0));
});

describe('what its own name says a number is', () => {
  test.each([
    ['CVR: 95691528', 'BUSINESS_ID 95691528'],
    ['KVK-nummer 12345678', 'BUSINESS_ID 12345678'],
    ['orgnr: 082932062', 'BUSINESS_ID 082932062'],
    ['UNP: 357074348', 'NATIONAL_ID 357074348'],
    ['EDB 8516028190293', 'NATIONAL_ID 8516028190293'],
    ['kennitala: 110883-1619', 'NATIONAL_ID 110883-1619'],
    ['personas kods: 281189-11307', 'NATIONAL_ID 281189-11307'],
    ['RUT 12.345.678-5', 'NATIONAL_ID 12.345.678-5'],
    ['CUIT: 20-62165540-0', 'NATIONAL_ID 20-62165540-0'],
    ['131052-308T', 'NATIONAL_ID 131052-308T'],
    ['mi DNI es 85140636H y mi casa', 'NATIONAL_ID 85140636H'],
    ['{"cpf_number":"123.456.789-00"}', 'NATIONAL_ID 123.456.789-00'],
    ['mac address: 3cd6c367f003', 'MAC 3cd6c367f003'],
    ['MAC 3c d6 c3 67 f0 aa', 'MAC 3c d6 c3 67 f0 aa'],
  ])('%s', (text, expected) => expect(types(text)).toEqual([expected]));
  test.each([
    'user_id=909730506 account=75314581',
    'order id 876954884',
    'trace id 909730506',
    'run 20240101',
    'RFC 2822 section 3',
    'the nit 1234567',
    'key fingerprint is SHA256:QWKrNoVO2J4iokKpnAuzX1vQJp96shomMqWUDAwfU8',
  ])('stays: %s', (text) => expect(types(text)).toEqual([]));
});

describe('addresses of chains by their checksum or their scheme', () => {
  test.each([
    'rDTXLQ7ZKZVKz33zJbHjgVShjsBnqMBhmN',
    'tz1VSUr8wwNhLAzempoch5d6hLRiTh8Cjcjb',
    'GAAZI4TCR3TY5OJHCTJC2A4QSY6CJWJH5IAJTGKIN2ER7LBNVKOCCWN7',
    'bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a',
  ])('%s', (address) => expect(types(`x ${address} y`)).toEqual([`CRYPTO ${address}`]));
});

describe('postal codes', () => {
  const codes = (text: string): string[] =>
    redact(text).spans.flatMap(({ type, start, end }) => (type === 'ZIP' ? [text.slice(start, end)] : []));
  test.each([
    ['zip: 90210-1234', '90210-1234'],
    ['my zip code is 880', '880'],
    ['PLZ 10115', '10115'],
    ['kod pocztowy 01-234', '01-234'],
    ['postcode SW1A 1AA', 'SW1A 1AA'],
    ['postal code: K1A 0B1', 'K1A 0B1'],
    ['Postcode 1012 AB', '1012 AB'],
    ['Eircode: D02 AF30', 'D02 AF30'],
    ['〒100-0001', '100-0001'],
    ['邮编：100080', '100080'],
    ['почтовый индекс 101000', '101000'],
    ['Suite 12\nOslo\n0150', '0150'],
    ['Apt. 4 12 Main\nGraz AT 8010', '8010'],
  ])('%s', (text, code) => expect(redact(text).text).not.toContain(code));
  test('go with the switch of the names tier', () => expect(types('zip: 90210-1234')).toEqual([]));
  test.each(['unzip 12345 files', 'zip 3.0.1', 'postal service 2 days', 'a suite of 12 tests\nran'])(
    'stays: %s',
    (text) => expect(codes(text)).toEqual([]),
  );
});

test.each([
  'născut pe 01.12.1968',
  'rođen 09.04.1998',
  'födelsedatum: 1945-08-21',
  'fødselsdato: 28/04/1951',
  'nasci em 10/07/1987',
  'nací el 25.9.1950',
  'г.р. 21.10.1947',
  'dzimšanas datums 12.03.1980',
])('born: %s', (text) => expect(types(text)).toEqual([`DATE_OF_BIRTH ${/[\d][\d./-]+\d/.exec(text)?.[0]}`]));
test('a decimal is no card, nor is a stretch of base64 a licence', () => {
  expect(types('The result is 659040.98445914 here')).toEqual([]);
  expect(types('KeI2YFxUPjdlB+3Lc10seMLtL4cA==", "license": "MIT"')).toEqual([]);
});

test.each([
  ['\\n4012888888881881\\n', 'CREDIT_CARD'],
  ['\\nDE89370400440532013000\\n', 'IBAN'],
  ['\\n3c:d6:c3:67:f0:a3\\n', 'MAC'],
  ['_4012888888881881_', 'CREDIT_CARD'],
  ['_3c:d6:c3:67:f0:a3_', 'MAC'],
  ['...3c:d6:c3:67:f0:a3...', 'MAC'],
  ['\u20143c:d6:c3:67:f0:a3\u2014', 'MAC'],
  ['my ssn is ...536-22-1234...', 'US_SSN'],
  [
    '4\u03360\u03361\u03362\u03368\u03368\u03368\u03368\u03368\u03368\u03368\u03368\u03361\u03368\u03368\u03361',
    'CREDIT_CARD',
  ],
  ['s\u0336a\u0336m\u0336@example.org', 'EMAIL'],
  ['s\u{e0041}a\u{e0041}m@exam\u{e0041}ple.org', 'EMAIL'],
])('glued and struck through: %s', (text, type) =>
  expect(types(text).map((found) => found.split(' ')[0])).toEqual([type]),
);
