/**
 * Credentials in addresses: `scheme://user:password@host`, tokens in the user's place, and the schemeless forms of
 * drivers.
 */
import { pattern } from '../pattern.ts';
import { isClearlyMadeUp } from './made-up.ts';
import { alnum, type SecretRule } from './secret-rule.ts';
import { isRandom, isRepeated } from './plausible.ts';

const maxUserInfo = 512;
/** Templates and stand-ins; plain words (`pass`) count as passwords here, because weak ones are real. */
const template = pattern('i')`
    ^[$%]?[{(<[]|\$\{|\{\{|%[sd(]|^\$[A-Za-z_]|^%[A-Za-z_]+%$|(?:^|[_-])(?:your|replace|change[_-]?me|insert|placeholder
    |redacted|enter)(?:$|[^a-z])|^(?:your|my)_?pass(?:word)?$|^[*x.\u2022_-]+$|^\[[A-Z_]+(?::|\]|$)|\u2026
    |\.{3}
  `;
/** The pair every manual writes; one of the two alone is a weak password. */
const manualUser = /^(?:(?:db|my|your|test|app)?_?-?user(?:name)?|admin|login|root)$/i;
const manualPassword = /^(?:my|your|db)?_?-?(?:password|passwd|secret)$/i;
/** Upper case stands for a variable. */
const variable = /^(?:[A-Z]+_)*(?:PASS(?:WORD)?|PWD|TOKEN|SECRET|API_?KEY)$/;
const notSecretUsers = pattern('i')`
    ^(?:git|svn|hg|anonymous|root|admin|user|guest|www|deploy|x-oauth-basic|x-access-token|oauth2|postgres
    |mysql|ubuntu|ec2-user|pi)$
  `;

/** A quotation mark or an angle bracket with more of a password behind it, and the host. */
const isInPassword = (text: string, from: number, at: number): boolean =>
  /^[A-Za-z0-9!#$%&*+^~-][^\s"'<>`@/,]{0,64}@[\w.[-]{2,}(?:[:/?\s"']|$)/.test(text.slice(at + 1, at + 200)) &&
  /:[^/]/.test(text.slice(from, at)) &&
  !/:\d{1,5}$/.test(text.slice(from, at));

/**
 * `text` from just behind `://`: the index of the `@` that ends the user part, or -1. Passwords may hold `@`; a `/`,
 * `?` or `#` may too, if an `@` and a host follow.
 */
function userInfoEnd(text: string, from: number): number {
  let last = -1;
  const stop = Math.min(text.length, from + maxUserInfo);
  for (let at = from; at < stop; at += 1) {
    const unit = text.charCodeAt(at);
    if (unit === 64) last = at;
    else if (unit <= 32 || unit === 92) break;
    else if (unit === 34 || unit === 39 || unit === 60 || unit === 62 || unit === 96) {
      if (last >= 0 || !isInPassword(text, from, at)) break;
    } else if (
      unit === 47 &&
      (last >= 0 ||
        !/^[^\s"'<>`/@]{0,64}@[\w.[-]{2,}[:/?]/.test(text.slice(at + 1, at + 200)) ||
        !text.slice(from, at).includes(':') ||
        /:\d{1,5}$/.test(text.slice(from, at)))
    )
      break;
    // A comma or a bracket behind a closed user part ends it (`mysql://a:b@[h1,h2]`).
    else if (last >= 0 && (unit === 44 || unit === 91 || unit === 41)) break;
  }
  return last;
}

const schemeEnds: readonly string[] = ['://', '%3a%2f%2f', ':\\/\\/'];
const userInfo: SecretRule = {
  literals: schemeEnds,
  findAt(text, at, literal, out) {
    if (at === 0 || alnum[text.charCodeAt(at - 1)] !== 1) return at;
    const encoded = literal === 1;
    const from = at + (schemeEnds[literal] ?? '').length;
    const end = encoded ? text.slice(from, from + maxUserInfo).search(/%40/i) + from : userInfoEnd(text, from);
    if (end < from || (encoded && /[\s"'<>/]/.test(text.slice(from, end)))) return at;
    const info = text.slice(from, end);
    const separator = encoded ? /%3a/i.exec(info) : /:|%3a/i.exec(info);
    const user = separator === null ? info : info.slice(0, separator.index);
    const password = separator === null ? '' : info.slice(separator.index + separator[0].length);
    if (
      password.length >= 2 &&
      (!template.test(password) || isClearlyMadeUp(password)) &&
      !variable.test(password) &&
      !(manualUser.test(user) && manualPassword.test(password)) &&
      !/\$[({]/.test(user) &&
      !(isRepeated(password) && password.length < 12) &&
      password !== user &&
      !/^x-oauth-basic$/i.test(password) &&
      !(password.length < 4 && /^[a-z]+$/.test(password))
    )
      out.push({ start: end - password.length, end, type: 'SECRET_CONNECTION', rank: 90 });
    if (
      user.length >= 16 &&
      !notSecretUsers.test(user) &&
      !template.test(user) &&
      isRandom(user) &&
      (password === '' || /^x-oauth-basic$|^x$/i.test(password))
    ) {
      // The token is the user's name: the scheme says nothing of worth without it.
      const scheme = /[a-z][a-z0-9]{1,15}$/i.exec(text.slice(Math.max(0, at - 16), at));
      out.push({
        start: scheme === null ? from : at - scheme[0].length,
        end: from + user.length,
        type: 'SECRET_URL',
        rank: 89,
      });
    }
    return end;
  },
};

/**
 * `user:password@tcp(host)` of Go drivers, `user/password@host:1521` of Oracle's, `//user:password@` without a scheme.
 */
const schemeless: SecretRule = {
  literals: ['@tcp(', '@unix(', '@tcp4(', ':1521', '@(description', '@localhost:', '@127.0.0.1:', '@//'],
  findAt(text, at, _literal, out) {
    const window = text.slice(Math.max(0, at - 120), at);
    const match =
      text[at] === '@'
        ? /(?:^|[\s"'`=(:])(?!\/\/)[\w.-]{1,40}[:/]([^\s"'`/@:]{3,60})$/.exec(window)
        : /[\w.-]{1,40}\/([^\s"'`/@:]{3,60})@[\w./-]{1,60}$/.exec(window);
    const password = match?.[1];
    if (match === null || password === undefined || template.test(password) || variable.test(password)) return at;
    const start = at - window.length + match.index + match[0].lastIndexOf(password);
    out.push({ start, end: start + password.length, type: 'SECRET_CONNECTION', rank: 90 });
    return at;
  },
};

export const connections: readonly SecretRule[] = [userInfo, schemeless];
