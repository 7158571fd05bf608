/** Words that announce a name, in about twenty languages, by their role. */
import { type RoleList, wordRoles } from './word-roles.ts';

export const role = {
  /** Announce by themselves, whatever follows: "je m'appelle", "nazywam się", "зовут". */
  verb: 1,
  /** Announce when a word for "is" or a colon follows: "name is", "nom :", "имя:". */
  noun: 2,
  /** Words for "is". */
  copula: 4,
  /** Between a verb and the name: "jmenuji se". */
  reflexive: 8,
  /** Weak: what follows must look like a name in itself. */
  weak: 16,
  /** Close a letter; the name stands on the next line. */
  closing: 32,
  /** Titles that are one even in small letters. */
  title: 64,
  /** Behind a name and a comma. */
  suffix: 128,
  /** "Maria speaking", "Peter here". */
  speaking: 256,
} as const;

const lists: readonly RoleList[] = [
  [
    role.verb,
    `heisse heiße appelle nomme llamo llama chiamo chiama chamo chama heet nazywam nazywa heter hedder adım ismim
    jmenuji jmenuje volám hívnak зовут звать звати звуть numesc named`,
  ],
  [
    role.noun,
    `name names nom prénom nombre nome naam imię nazwisko namn navn nimi nimeni jméno meno numele имя фамилия імя
    прізвище фио піб tên nama jina signed contact attn attention patient customer recipient beneficiary holder
    cardholder employee applicant tenant client payee author candidate guest traveller passenger sender kunde kundin
    empfänger absender cliente klient klant kund asiakas müşteri zákazník получатель отправитель клиент пациент
    отримувач клієнт paciente paziente patiënt pacjent pasient destinatario destinataire beneficiario bénéficiaire
    titular titulaire intestatario ontvanger odbiorca mottagare modtager mottaker alıcı příjemce begünstigter
    kontoinhaber від кому кто`,
  ],
  [role.copula, 'is was ist est es è é jest to är er on je là la adalah'],
  [role.reflexive, 'se się sa me mich'],
  [
    role.weak,
    `am im m bin suis soy sono sou ben jestem olen là by dear hi hello hey liebe lieber cher chère estimado estimada
    querido querida gentile caro cara prezado prezada beste geachte szanowny szanowna drogi kära kjære kære hyvä
    vážený vážená milá milý уважаемый уважаемая дорогой дорогая шановний шановна hola hallo bonjour ciao olá hej
    merhaba ahoj привет привіт salut ik jestem`,
  ],
  [
    role.closing,
    `sincerely regards cheers thanks grüßen grüße cordialement saludos atentamente saluti groeten pozdrawiam hälsningar
    hilsen saygılarımla уважением повагою best yours`,
  ],
  [
    role.title,
    `mr mrs ms mx dr prof herr herrn frau fräulein monsieur madame mademoiselle mme mlle señor señora señorita senhor
    senhora signor signora signorina mijnheer meneer mevrouw dhr mevr господин госпожа господину госпоже пан пані пани
    fröken sayın shri smt`,
  ],
  [role.suffix, 'jr sr ii iii iv md phd dds esq'],
  [role.speaking, 'speaking calling writing here'],
];

/** A word's roles as bits. */
export const roleOf = wordRoles(lists);
