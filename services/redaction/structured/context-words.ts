/** What the words around a number say it is. Words of the languages that support desks meet; facts of language, kept as a table. */

import { placeholderEnd } from '../anchors.ts';
import { buildAutomaton } from '../automaton.ts';

/** What a word makes likelier, or (`not`) less likely. National ids have a tag of their own country where the word is theirs alone. */
export type Tag = string;

/** `=word` matches a whole word only; others match inside compounds too (`Handynummer`). Lower case. */
const words: Readonly<Record<Tag, readonly string[]>> = {
  mac: ['=mac', 'mac address', 'mac-adress', 'adresse mac', 'dirección mac', 'hwaddr', 'bssid', 'physical address', 'hardware address', 'ethernet address'],
  phone: ['phone', '=tel', '=tél', 'telef', 'teléf', 'téléphone', 'telephone', 'mobil', '=cell', 'cellular', '=call', '=calls', '=called', '=calling', '=fax', 'whatsapp', '=sms', '=ring', '=text', '=dial', 'hotline', 'answering', 'reach me', 'reach us', 'messages to', 'desk:', 'contact', 'handy', 'rufen sie', 'ruf mich', 'anruf', 'rückruf', 'portable', 'appel', 'joindre', 'llám', 'llama', 'celular', '=móvil', '=movil', 'chiam', 'cellulare', 'il mio numero', 'mi número', 'mon numéro', 'meine nummer', 'meu número', 'us number', 'cn number', 'my number', 'israeli number', 'international one', '=ligue', 'ligar', 'telemóvel', '=bel', 'bellen', '=dzwoni', 'dzwonić', 'zadzwoń', 'pod numer', 'komórk', 'ring mig', '=nummer', 'puhelin', 'telefon', '=tlf', '=mob', '=ph', '=cep', 'arayın', 'numarası', 'zavolejte', 'volejte', 'mobitel', 'sunați', 'hívjon', 'тел', 'звон', 'номер', 'мобил', 'телефон', 'τηλ', 'κινητό', '電話', '电话', '電話番号', '手机', '手機', '携帯', '联系', '전화', '연락', '휴대', 'هاتف', 'رقم', 'جوال', 'موبايل', 'اتصل', 'טלפון', 'נייד', 'điện thoại', 'gọi', 'sđt', 'โทร', 'เบอร์', 'फोन', 'मोबाइल', 'telpon', 'nomor', '=hp', 'simu'],
  card: ['credit card', 'debit card', '=card', 'cards', '=visa', 'mastercard', '=amex', 'kreditkarte', 'karte', 'carte', 'tarjeta', 'cartão', 'carta di credito', 'karta', '=kort', 'カード', '信用卡', '카드', 'карт', 'بطاقة', '=pan', '=cc'],
  ssn: ['=ssn', '=ssns', 'social security', 'social sec', 'soc sec', 'seguro social'],
  birth: ['=born', 'birth', '=dob', 'd.o.b', 'geboren', 'geburt', '=geb', '=né le', '=née le', 'né(e)', 'naissance', 'nacid', 'nacim', 'nascid', 'nascim', 'nato il', 'nata il', 'nascita', 'geboorte', 'urodz', '=född', '=fødd', '=født', 'syntym', 'doğum', 'narozen', 'рожд', 'родил', 'народ', 'γέννησ', '生年月日', '出生', '生日', '생년월일', '생일', 'تاريخ الميلاد', 'مواليد', 'תאריך לידה', 'ngày sinh', 'sinh ngày', 'วันเกิด', 'जन्म', 'tanggal lahir'],
  passport: ['passport', 'travel document', 'reisepass', 'pass-nr', 'passnummer', 'passeport', 'pasaporte', 'passaporto', 'passaporte', 'paspoort', 'paszport', 'pas č', 'pasaport', '=pass', 'pas nr', 'číslo pasu', 'cestovní pas', 'paso numeris', 'pašto', 'útlevél', 'pașaport', 'putovnic', 'pasoš', 'паспорт', 'διαβατ', '護照', '护照', '旅券', 'パスポート', '여권', 'جواز', 'דרכון', 'hộ chiếu', 'หนังสือเดินทาง'],
  license: ['=dl', 'driver', 'driving', 'licence', 'license', 'führerschein', 'permis de conduire', 'licencia de conducir', 'carnet de conducir', 'permiso de conduc', 'licencia de manejo', 'carta de condução', 'carta de conduç', 'permis de conducere', 'jogosítvány', 'vezetői engedély', 'vodičsk', 'vozačk', 'vozniško', 'vairuotojo', 'vadītāja', 'juhiluba', 'ökuskírteini', 'δίπλωμα οδήγησης', 'άδεια οδήγησης', 'шофьорск', 'посвідчення водія', 'водійськ', 'רישיון נהיגה', 'رخصة القيادة', 'رخصة قيادة', 'ใบขับขี่', 'giấy phép lái xe', 'bằng lái', '駕照', '運転免許', 'surat izin mengemudi', 'patente', 'habilitação', '=cnh', 'rijbewijs', 'prawo jazdy', 'prawa jazdy', 'körkort', 'førerkort', 'kørekort', 'ajokortti', 'ehliyet', 'sürücü belgesi', 'řidičsk', 'водительск', '運転免許', '驾驶证', '驾照', '운전면허', '면허'],
  business: ['=vat', '=vat id', 'ust-id', 'ustid', 'umsatzsteuer', '=tva', '=siret', '=siren', '=iva', 'partita iva', '=p.iva', '=cif', '=cnpj', '=ein', 'employer id', '=abn', '=acn', '=brn', '=gstin', '=gst', '=uen', '=btw', '=kvk', '=nip', '=regon', 'orgnr', 'org.nr', 'organisationsn', 'company identity', 'business', 'handelsregister', '=hrb', '=krs', '=ico', '=ičo', '=dič', '=lanr', '=bsnr', '=огрн', '=кпп', '=едрпоу', '사업자', '法人番号', '统一社会信用', 'company number', 'company reg', 'registration number', 'crn', '=vkn'],
  crypto: ['wallet', 'bitcoin', '=btc', '=eth', 'ethereum', 'crypto', 'litecoin', '=ltc', 'monero', '=xmr', 'ripple', '=xrp', 'solana', '=sol', 'tron', '=trx', 'usdt', 'dogecoin', '=ada', 'address', 'donat', 'deposit', 'send to', 'sent to', 'transfer to', 'pubkey', 'public key', '=xlm', 'stellar', '=dot', 'polkadot', '=algo', 'algorand', 'filecoin', 'кошел', '钱包', '地址', 'ウォレット', '지갑'],
  id: ['national id', 'identity', '=id', 'id number', 'id no', 'identification', 'personal code', 'personal number', 'personal id', 'citizen', 'resident', 'tax number', 'tax id', 'taxpayer', '=tin', 'fiscal', 'insurance n', 'health', 'medicare', 'patient', 'identifier', 'ausweis', 'identité', 'sécurité sociale', 'identidad', '=cédula', '=cedula', '=identità', 'identidade', 'identiteit', 'legitimation', 'dowód', 'tożsam', '身份证', '身分證', '身分証', 'マイナンバー', '個人番号', '주민', '외국인등록', '등록번호', 'هوية', 'تעודת', 'ת.ז', 'תעודת זהות', 'căn cước', 'cccd', 'cmnd', 'ประจำตัว', 'आधार', '=ktp', '=nik', '=mykad', 'kimlik', 'osobní', 'rodné', 'personnummer', 'personnr', '=pnr', 'fødselsnummer', 'cpr-n', 'henkilö', 'isikukood', 'asmens', 'személyi', 'cod numeric', 'егн', 'снилс', 'инн', 'ідентифікац', 'рнокпп', 'іпн', 'αμκα', 'αφμ'],
  US_ITIN: ['=itin'], US_NPI: ['=npi', 'provider id'], US_MBI: ['=mbi', 'medicare'], CA_SIN: ['=sin', '=nas', 'social insurance', 'assurance sociale'], UK_NHS: ['=nhs'], UK_NINO: ['=nino', 'national insurance', '=ni number'], AU_TFN: ['=tfn', 'tax file'], AU_MEDICARE: ['medicare'],
  DE_IDNR: ['steuer', '=idnr', 'tax id'], DE_SV: ['sozialversicherung', 'rentenversicherung', '=svnr', '=rvnr'], DE_KV: ['krankenversich', '=kvnr', 'versichertennummer', 'health insurance'], FR_NIR: ['sécurité sociale', 'securite sociale', '=nir', 'numéro de sécu', '=insee'], ES_DNI: ['=dni', '=nif', '=nie'], IT_CF: ['codice fiscale', '=cf', '=c.f'], BR_CPF: ['=cpf'], NL_BSN: ['=bsn', 'burgerservice', 'sofinummer'], PL_PESEL: ['=pesel'], PT_NIF: ['=nif', 'contribuinte'],
  SE_PN: ['personnummer', 'personnr', '=pnr', 'swedish id'], FI_HETU: ['henkilö', '=hetu', 'finnish id', 'personal identity code'], NO_FNR: ['fødselsnummer', '=fnr'], DK_CPR: ['=cpr'], TR_TCKN: ['=tc', '=tckn', 'kimlik', 'turkish id'], CZ_RC: ['rodné číslo', 'rodné čislo', 'rodne cislo', 'r.č', 'rodné'], RU_INN: ['=инн', '=inn'], RU_SNILS: ['снилс'], UA_RNOKPP: ['=іпн', 'рнокпп', 'ідентифікац', '=инн'], CN_RIC: ['身份证', '公民身份'], KR_RRN: ['=rrn', '주민', '=frn', '외국인'], JP_MYNUMBER: ['マイナンバー', '個人番号'], TW_ID: ['身分證'], IN_AADHAAR: ['aadhaar', 'aadhar', '=uid', 'आधार'], IN_PAN: ['=pan', 'permanent account'], IN_VOTER: ['voter', '=epic'], SG_NRIC: ['=nric', '=fin'], TH_ID: ['ประจำตัวประชาชน', 'thai national', 'thai id'], ZA_ID: ['rsa id', 'south african id', '=said'],
  IL_ID: ['ת.ז', 'תעודת זהות', 'teudat'], BE_NN: ['rijksregister', 'registre national', '=insz', '=niss'], CH_AHV: ['=ahv', '=avs', 'ahv-n'], AT_SV: ['sozialversicherung', '=svnr'], IE_PPS: ['=pps', '=ppsn'], RO_CNP: ['=cnp', 'cod numeric'], BG_EGN: ['=егн', '=egn'], HR_OIB: ['=oib'], EE_IK: ['isikukood'], LT_AK: ['asmens kodas'], MX_CURP: ['=curp', '=rfc'], CL_RUT: ['=rut'], AR_DNI: ['=dni', '=cuit', '=cuil'], CO_CC: ['cédula', 'cedula'], PH_TIN: ['=bir', '=tin'], ID_NIK: ['=nik', '=ktp'], MY_NRIC: ['=mykad', '=ic', '=nric'], VN_CCCD: ['=cccd', 'căn cước'], NG_NIN: ['=nin'], HK_ID: ['=hkid'], NZ_IRD: ['=ird'], PK_CNIC: ['=cnic'], GR_AMKA: ['αμκα', '=amka', 'αφμ'],
  ip: ['=ip', '=ips', 'ipv4', 'ipv6', 'address', 'server', 'host', 'from'], version: ['version', '=ver', '=v', 'release', '=build', '=sdk', 'firmware', '=driver v', 'chrome', 'firefox', 'python', '=node', 'kernel', 'section', '=rfc', 'upgrade', 'semver', 'changelog'],
  bank: ['routing', '=aba', '=rtn', 'account number', 'bank account', 'account no', 'kontonummer', 'sort code'],
  thing: ['user id', 'session id', 'order id', 'product id', 'item id', 'row id', 'job id', 'task id', 'message id', 'event id', 'device id', 'request id', 'trace id', 'span id', 'tenant id', 'object id', 'post id', 'comment id', 'thread id', 'channel id', 'run id', 'build id', 'group id', 'category id', 'page id', 'node id', 'process id', 'parent id', 'record id', 'transaction id', 'userid', 'orderid', 'productid', 'itemid', 'sessionid'],
  not: ['order', 'invoice', 'ticket', '=ref', 'reference', '=sku', '=port', 'commit', 'trace', 'request', 'batch', 'tracking', 'serial', '=part', 'model', 'isbn', 'issn', '=doi', 'created', 'timestamp', 'epoch', 'bestell', 'rechnung', 'auftrag', 'commande', 'facture', 'pedido', 'factura', 'fattura', 'ordine', 'zamówien', 'faktur', 'order id', 'case', '=pid', 'line', 'rows', 'bytes', 'tokens', '=seed', 'count', 'total', 'price', 'amount', '=usd', '=eur', '=ms', 'latency', 'checksum', 'offset', 'transaction', 'shipment', '注文', '订单', '訂單', '주문', 'заказ', 'счет', 'chatcmpl', 'expires', 'updated', 'modified', 'deploy', 'session'],
};

/** Names that only the number of a person (of a business) has: what stands behind one is that number, checksum or not. */
const personNumbers = ['national id', 'national identity', 'identity number', 'identity card', 'identification number', 'citizen id', 'personal code', 'personal id', 'personal number', 'tax id', 'tax number', 'tax identification', 'taxpayer', 'fiscal code', 'social insurance', 'social security no', 'insurance number', '=stnr', 'steuer-id', 'steuernummer', 'steuernr', 'identifikationsnummer', 'sozialversicherungsnummer', '=svnr', '=vnr', '=ahv', '=nif', '=dni', '=nie', '=ruc', '=rut', '=rif', '=cuit', '=cuil', '=cui', '=curp', '=rfc', '=cpf', '=cédula', '=cedula', '=dui', '=utr', '=unp', '=idno', '=nipt', '=edb', '=jmbg', '=emšo', '=emso', '=embg', '=oib', '=kennitala', 'personas kods', 'személyi szám', 'adóazonosító', '=taj', '=hetu', '=mst', 'mã số thuế', '=rntrc', '=bir', '=philhealth', '=pagibig', '=psn', '=nin', '=bvn', '=tckn', '=bsn', '=pesel', '=cnp', '=egn', '=снилс', '=инн', '=іпн', 'рнокпп', 'egn', '=егн', '=αμκα', '=αφμ', 'codice fiscale', 'numéro fiscal', 'numero fiscal', 'número fiscal', 'nº de contribuinte', 'número de contribuinte', 'sécurité sociale', 'securite sociale', '=hkid', '=mykad', '=nric', '=cnic', '=nicop', 'aadhaar', 'aadhar', '身份证号', '身份證', 'เลขประจำตัว', '주민등록번호', 'מספר זהות', 'تعودת', 'رقم الهوية', 'الرقم القومي', 'الرقم الوطني', 'کد ملی', 'شناسه ملی', 'emirates id', 'iqama', 'rodné číslo', 'rodne cislo', 'číslo op', 'číslo občanského', 'numer dowodu', 'nr dowodu', 'cod numeric', 'isikukood', 'asmens kodas', 'personnummer', 'fødselsnummer', 'fodselsnummer', 'cpr-nummer', 'cpr-nr', 'henkilötunnus', 'henkilotunnus', 'burgerservicenummer', 'rijksregisternummer', 'numéro national', 'numéro de registre', 'kimlik no', 'nomor induk', '=nik', 'n.º de identificación', 'número de identificación', 'numero de identificacion', 'número de identidad', 'documento de identidad', 'carta d\'identità', 'carta di identità', 'bilhete de identidade', 'cartão de cidadão', 'cartao de cidadao', 'personalausweis', 'ausweisnummer'];
const businessNumbers = ['=vat', 'vat number', 'vat no', 'vat id', '=tva', '=iva', 'partita iva', '=p.iva', '=btw', 'ust-id', 'ustid', 'umsatzsteuer', '=mwst', '=cif', '=cvr', 'orgnr', 'org.nr', 'org nr', 'organisationsnummer', 'organisasjonsnummer', '=pib', '=kvk', '=nip', '=regon', '=krs', '=ičo', '=dič', '=siren', '=siret', '=ein', '=abn', '=acn', '=uen', '=gst', '=gstin', '=ubn', '統一編號', 'y-tunnus', 'ytunnus', '=kmkr', '=pvn', '=pvm', '=dph', '=ddv', '=áfa', 'adószám', '=anum', 'cégjegyzék', '=vkn', '=brn', '=cnpj', '=огрн', '=кпп', '=едрпоу', '=єдрпоу', '法人番号', '统一社会信用代码', '사업자등록번호', 'company number', 'company registration', 'company reg', 'business registration', 'business number', 'handelsregister', '=hrb', 'enterprise number', 'ondernemingsnummer', 'numéro d\'entreprise', '=duns', '=eori', '=giin', 'pvm kodas', '=afm'];
type Word = { readonly length: number; readonly isWhole: boolean; readonly tags: readonly Tag[] };
const entries: ReadonlyMap<string, Word> = (() => {
  const byWord = new Map<string, { length: number; isWhole: boolean; tags: Tag[] }>();
  for (const [tag, list] of Object.entries({ ...words, personNumber: personNumbers, businessNumber: businessNumbers })) {
    for (const entry of list) {
      const word = entry.replace(/^=/, '');
      const known = byWord.get(word);
      if (known) known.tags.push(tag);
      else byWord.set(word, { length: word.length, isWhole: entry.startsWith('='), tags: [tag] });
    }
  }
  return byWord;
})();
const table = [...entries.values()];
const { next, shift, classOf, firstOutput, outputs } = buildAutomaton([...entries.keys()]);

const beforeUnits = 56;
const afterUnits = 36;

export type Context = { /** Tags of the words before, the nearest last; and behind. */ readonly before: readonly Tag[]; readonly after: readonly Tag[] };
/** Either side. */
export const says = ({ before, after }: Context, tag: Tag): boolean => before.includes(tag) || after.includes(tag);

const isDigit = (code: number): boolean => code >= 48 && code <= 57;
/** Alphabets; the scripts behind them write without spaces, and what stands between is punctuation. */
const isLetter = (code: number): boolean => (code >= 97 && code <= 122) || (code >= 65 && code <= 90) || (code > 0xbf && code < 0x2000);

/** Tags of the words in [from, to), in the order in which the words end. */
function tagsIn(text: string, from: number, to: number, tags: Tag[]): Tag[] {
  let state = 0;
  for (let index = from; index < to; index += 1) {
    if (text.charCodeAt(index) === 91) {
      const end = placeholderEnd(text, index);
      if (end > 0) {
        index = Math.min(end, to) - 1;
        state = 0;
        continue;
      }
    }
    state = next[(state << shift) | (classOf[text.charCodeAt(index)] as number)] as number;
    if (state < firstOutput) continue;
    for (const literal of outputs[state - firstOutput] as readonly number[]) {
      const word = table[literal] as Word;
      const start = index + 1 - word.length;
      if (word.isWhole && ((start > 0 && (isLetter(text.charCodeAt(start - 1)) || isDigit(text.charCodeAt(start - 1)))) || (index + 1 < text.length && isLetter(text.charCodeAt(index + 1))))) continue;
      for (const tag of word.tags) tags.push(tag);
    }
  }
  return tags;
}
/** First or last place in [from, to) where three digits stand together: the words beyond belong to that number. */
function threeDigits(text: string, from: number, to: number, isLast: boolean): number {
  let run = 0;
  for (let count = 0; count < to - from; count += 1) {
    const index = isLast ? to - 1 - count : from + count;
    run = isDigit(text.charCodeAt(index)) ? run + 1 : 0;
    if (run === 3) return isLast ? index + 3 : index - 2;
  }
  return isLast ? from : to;
}

/** Tags of the word that ends at `end`, whole. */
function tagsOfWord(text: string, end: number): readonly Tag[] {
  const from = Math.max(0, end - 28);
  let state = 0;
  for (let index = from; index < end; index += 1) state = next[(state << shift) | (classOf[text.charCodeAt(index)] as number)] as number;
  if (state < firstOutput || isLetter(text.charCodeAt(end))) return [];
  return (outputs[state - firstOutput] as readonly number[]).flatMap((literal) => {
    const word = table[literal] as Word;
    return isLetter(text.charCodeAt(end - word.length - 1)) ? [] : word.tags;
  });
}
/** Words whose full stop ends no sentence before a number. */
const shortened = /(?<![\p{L}\d])(?:n[ro]|num|ref|inv|ord|acct?|tel|art|pos|ext|cust|doc|reg|lic|ser|cert|dr|mrs?|ms|st|\p{L})$/iu;
const sentenceEnd = /[.?!]["')\]]?[,;]?\s|\n\s*\n/g;
/** Where the last sentence of [from, end) begins. */
function sentenceStart(text: string, from: number, end: number): number {
  const window = text.slice(from, end);
  let start = 0;
  for (const { 0: stop, index } of window.matchAll(sentenceEnd)) if (stop[0] !== '.' || !shortened.test(window.slice(Math.max(0, index - 6), index))) start = index + stop.length;
  return from + start;
}

/** What may stand between a number and its name: punctuation, `number`, `is`. */
const filler = /(?:[\s:：#=.,"'`(*_\-–—…→<>[{|~“”„«‘’‚]|(?<![\p{L}])(?:nr|no|n[°º]|num|number|nummer|numer|numéro|número|numero|code|id|kod|код|номер|szám|numarası|is|ist|est|es|è|é|to|är|er|on|je)(?![\p{L}])|[はがを是为為는은]|번호|号)+$/iu;
/** The name right before a number: `CVR: 95691528`, `personas kods ir ...`; or its field's. */
export function nameBefore(text: string, start: number, key: string | undefined): readonly Tag[] {
  const from = sentenceStart(text, Math.max(0, start - 44), start);
  const lead = text.slice(from, start);
  const end = start - (filler.exec(lead)?.[0].length ?? 0);
  const whole = end === start ? [] : tagsOfWord(text, end);
  if (whole.length > 0) return whole;
  // `id`, `number` and `code` may be the name's own last word.
  const own = tagsOfWord(text, start - (/[\s:：#=.,"'`(*_\-–—…→<>[{|~“”„«‘’‚]+$/.exec(lead)?.[0].length ?? 0));
  if (own.length > 0 || key === undefined || end > 4) return own;
  const name = readable(key);
  return tagsOfWord(name, name.length);
}

const readable = (key: string): string => key.replaceAll(/[_.-]+/g, ' ');

/** What a number is not, its own sentence says: the one before may speak of an order. */
const denials: ReadonlySet<Tag> = new Set(['not', 'version', 'thing']);
/** The words around [start, end). A window ends at the last number of three and more digits before, whose words are its own; when nothing is left, it does not. */
export function contextAt(text: string, start: number, end: number, key: string | undefined): Context {
  const from = Math.max(0, start - beforeUnits);
  const cut = threeDigits(text, from, start, true);
  const sentence = sentenceStart(text, cut, start);
  const before = sentence > cut ? tagsIn(text, cut, sentence, []).filter((tag) => !denials.has(tag)) : [];
  tagsIn(text, sentence, start, before);
  if (before.length === 0 && cut > from) tagsIn(text, from, start, before);
  if (key !== undefined) {
    const name = readable(key);
    tagsIn(name, 0, name.length, before);
  }
  const until = Math.min(text.length, end + afterUnits);
  const after = tagsIn(text, end, threeDigits(text, end, until, false), []);
  return { before, after };
}
