/**
 * Passwords and keys behind words that hold letters beyond ASCII (`密码是 ...`, `пароль: ...`): what follows each of
 * them is a window.
 */
import { pattern } from '../pattern.ts';
import type { LiteralHits } from '../trigger-literals.ts';
import { wordList } from '../word-list.ts';
import type { Finding } from '../finding.ts';
import { isPassword, isRandom, isToken } from './plausible.ts';

type Kind = 'password' | 'token';
/** Stems, lower case; endings of a language's cases are letters that may follow. */
const passwordWords = wordList(`
  парол гасло пин-код лозинк 密码 密碼 口令 暗号 暗証番号 合言葉 パスワード
  パスフレーズ パスコード 비밀번호 비번 암호 패스워드 كلمة_المرور كلمة_السر
  كلمة_مرور كلمة_سر الرقم_السري رمز_المرور رمز_عبور گذرواژه
  پاس_ورڈ סיסמה סיסמא סיסמת รหัสผ่าน पासवर्ड
  পাসওয়ার্ড கடவுச்சொல் mật_khẩu mã_pin şifre hasło hasła hasłem
  κωδικός κωδικό κωδικο συνθηματικό contraseña lösenord jelszó jelszav slaptažod
  salasõna գաղտնաբառ პაროლ
`);
const tokenWords = wordList(`
  ключ токен секрет 密钥 密鑰 秘钥 令牌 アクセスキー apiキー キー トークン
  シークレット 秘密鍵 키 토큰 시크릿 schlüssel clé_ مفتاح رمز_الوصول מפתח khóa
  κλειδί कुंजी คีย์ โทเค็น
`);
export const foreignLiterals: readonly string[] = [...passwordWords, ...tokenWords];

const reach = 96;
const mostWords = 6;
/** Directly before a value: the word and it belong together, so a weaker value will do. */
const joins = pattern('iu')`
    (?:[:=>»]|[-\u2014\u2192]|は、?|が|를|은|는|이|가|是|为|為|即
    |(?:^|[^\p{L}])(?:is|ist|est|es|è|é|je|jest|to|este|är|er|on
    |είναι|это|такой|є|הוא|היא|هي|هو|है|là|adalah))
    ["'\x60\u201c\u300c(\s]{0,4}$|คือ\s?$
  `;
const printable = /[!-~]{4,200}/g;
const innocent = /(?:id|hash|sha\d*|md5|commit|trace|指纹|отпечаток)\s?[:=]?\s?$/i;

/** The value that belongs to the word that ends at `from`. */
function valueAfter(text: string, from: number, kind: Kind, out: Finding[]): number {
  const window = text.slice(from, from + reach);
  printable.lastIndex = 0;
  let passed = 0;
  for (let match = printable.exec(window); match !== null; match = printable.exec(window)) {
    const before = window.slice(0, match.index);
    if (/[。！？\n][^:\n]*$|\n\s*\n/u.test(before.trimEnd()) || (match.index > 48 && passed === 0)) return from;
    const lead = /^(?:[:=]{1,2}>?|->|=>|[-*([{"'`<])+/.exec(match[0])?.[0].length ?? 0;
    const value = match[0].slice(lead).replace(/[.,;:!?"'`)\]}>*]+$/, '');
    const sure = lead > 0 || joins.test(before);
    if (
      value.length >= 4 &&
      !innocent.test(before) &&
      (kind === 'password'
        ? isPassword(value, sure ? 'phrase' : 'adjacent')
        : isToken(value, sure ? 'phrase' : 'adjacent') && isRandom(value) && value.length >= 16)
    ) {
      const start = from + match.index + lead;
      out.push({
        start,
        end: start + value.length,
        type: kind === 'password' ? 'SECRET_GENERIC' : 'SECRET_KEY',
        rank: sure ? 86 : 70,
      });
      return start + value.length;
    }
    // A number, an address, a sentence's end: what comes later belongs to something else.
    if (/[\d@]/.test(match[0]) || /[.!?;]$/.test(match[0])) return from;
    passed += 1;
    if (passed > mostWords) return from;
  }
  return from;
}

/** `hits`: literal and one past its end, in turns. Windows of a hundred units behind the words. */
export function findBehindForeignWords(text: string, hits: LiteralHits, out: Finding[]): void {
  let done = 0;
  for (let hit = 0; hit < hits.length; hit += 2) {
    const end = hits[hit + 1] as number;
    const kind = (hits[hit] as number) < passwordWords.length ? 'password' : 'token';
    if (end > done) done = valueAfter(text, end, kind, out);
  }
}
