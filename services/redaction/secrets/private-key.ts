/**
 * Private keys: PEM and PuTTY blocks, whole, escaped or cut off, and raw 256-bit keys of wallets where the words around
 * say so.
 */
import { pattern } from '../pattern.ts';
import type { Finding } from '../finding.ts';
import { alnum, alphabet, type SecretRule } from './secret-rule.ts';

/** 16 Kbit keys take about 13 KB in PEM; what is longer is not a key, and is looked at in steps of this size. */
const maxBlock = 16_384;
const header = pattern('iy')`
    -{2,5}\s?BEGIN (?:[A-Z0-9]{1,20} ){0,5}(?:PRIVATE KEY|OpenVPN Static key V1|SSH2 ENCRYPTED PRIVATE KEY)
    (?: BLOCK)?(?:\s?-{2,5}|\\?u002d{1,5})?
  `;
const footer = /-{2,5}\s?END (?:[A-Z0-9]{1,20} ){0,5}(?:PRIVATE KEY|OpenVPN Static key V1)(?: BLOCK)?\s?-{0,5}/i;
/**
 * One piece of a body without its END line: base64 (or PGP checksum) after white space, an escaped line end, or a quote
 * and a plus that join lines of code.
 */
const piece = pattern('y')`
    (?:\s|\\{1,4}[nrt]|["'\x60]\s{0,4}[+,.\\]?\s{0,8}["'\x60]|[>|#*] ?){0,12}(?:(?:Proc-Type|DEK-Info
    |Version|Comment|Hash|Charset):[^\n\\]{0,120}|=?[A-Za-z0-9+/]{1,4096}={0,2})
  `;

/**
 * Where a block without END stops: after its last piece that looks like base64; the words after a body (`thanks`) are
 * shorter than a line.
 */
function openEnd(text: string, from: number): number {
  let at = from;
  let longest = 0;
  const stop = Math.min(text.length, from + maxBlock);
  for (let words = 0; at < stop; ) {
    piece.lastIndex = at;
    const match = piece.exec(text);
    if (match === null) break;
    const unit = match[0].replace(/^(?:\s|\\{1,4}[nrt]|["'`+,.\\>|#*])+/, '');
    const lines = /[\n\\]/.test(match[0]);
    // A synthetic body may be words; once a line of base64 has gone by, words without a line end before them are prose
    // again.
    if (longest >= 32 && !lines && unit.length < 24) break;
    if (longest >= 32 && unit.length < 16 && /^[A-Z]?[a-z]+$/.test(unit)) break;
    words += 1;
    if (longest < 32 && words > 12) break;
    longest = Math.max(longest, unit.length);
    at = piece.lastIndex;
  }
  return at;
}

/** Base64 of plain words is a manual's stand-in: DER and what OpenSSH writes hold bytes that no text does. */
function isPlainText(body: string): boolean {
  const word = body.replaceAll(/\s|\\[nr]/g, '');
  return (
    word.length >= 20 &&
    word.length <= 400 &&
    /^[A-Za-z0-9+/]+={0,2}$/.test(word) &&
    /^[\x20-\x7e\s]+$/.test(Buffer.from(word, 'base64').toString('latin1'))
  );
}

/** A template, an ellipsis or a placeholder stands where the key would. */
const standInBody = pattern('i')`
    ^[\s\\nrx*.]*$|\$\{|\{\{|\bprocess\.env|^[\s\\n]*<[^<>]{1,60}>[\s\\n]*$
    |^[\s\\n]*(?:\.{3}|your|redacted|\[)
  `;
const pem: SecretRule = {
  literals: ['-begin ', '- begin '],
  findAt(text, at, _literal, out) {
    let start = at;
    while (start > 0 && at - start < 4 && text[start - 1] === '-') start -= 1;
    header.lastIndex = start;
    const match = header.exec(text);
    if (match === null) return at;
    const from = header.lastIndex;
    const room = text.slice(from, from + maxBlock);
    // A block ends before the next one begins.
    const again = room.indexOf('-BEGIN ');
    const window = again < 0 ? room : room.slice(0, again);
    const closing = window.includes('END ') ? footer.exec(window) : null;
    const closed = closing !== null;
    const body = closed ? window.slice(0, closing.index) : text.slice(from, openEnd(text, from));
    const end = closed ? from + closing.index + closing[0].length : from + body.length;
    if (
      body.replaceAll(/\\[nrt]|[^A-Za-z0-9]/g, '').length < 4 ||
      standInBody.test(body.slice(0, 200)) ||
      isPlainText(body)
    )
      return end;
    out.push({ start, end, type: 'SECRET_PRIVATE_KEY', rank: 100 });
    return end;
  },
};

/** A body whose BEGIN line was cut away: DER of RSA, PKCS#8 and OpenSSH keys begins with these units in base64. */
const headless: SecretRule = {
  literals: [
    'miievgibadanbgkqhkig9w0baqefaascb',
    'miieowibaakcaqea',
    'miiepaibaakcaqea',
    'miieogibaakcaqea',
    'miijkaibaakcageaa',
    'miijkgibaakcagea',
    'b3blbnnzac1rzxktdje',
    'mc4caqawbqydk2vwbciei',
    'mighagea',
    'miievqibadanbgkqhkig9w0baqefaascb',
  ],
  findAt(text, at, _literal, out) {
    if (!/^M[Ciu]|^MII|^MIG|^b3B/.test(text.slice(at, at + 3)) || alnum[text.charCodeAt(at - 1)] === 1) return at;
    const end = openEnd(text, at);
    if (end - at < 40) return at;
    out.push({ start: at, end, type: 'SECRET_PRIVATE_KEY', rank: 84 });
    return end;
  },
};

/** A body whose BEGIN line was cut away, by its END line: base64 in lines before it. */
const footed: SecretRule = {
  literals: ['-end '],
  findAt(text, at, _literal, out) {
    let dashes = at;
    while (dashes > 0 && at - dashes < 4 && text[dashes - 1] === '-') dashes -= 1;
    closing.lastIndex = dashes;
    if (!closing.test(text)) return at;
    const end = closing.lastIndex;
    let start = dashes;
    const stop = Math.max(0, dashes - maxBlock);
    while (start > stop && bodyUnits[text.charCodeAt(start - 1)] === 1) start -= 1;
    // A closed block has a BEGIN line there, and its own rule.
    if (text[start - 1] === '-') return end;
    while (start < dashes && alnum[text.charCodeAt(start)] !== 1) start += 1;
    const first = bodyStart(text, start, dashes);
    if (first < 0) return end;
    out.push({ start: first, end, type: 'SECRET_PRIVATE_KEY', rank: 99 });
    return end;
  },
};
/**
 * Where the lines of base64 before `to` begin, none of them but the first and the last shorter than 16 units; -1 when
 * there is none of that length.
 */
function bodyStart(text: string, from: number, to: number): number {
  let at = to;
  let first = -1;
  for (let lines = 0; at > from; lines += 1) {
    let lineEnd = at;
    while (lineEnd > from && base64Units[text.charCodeAt(lineEnd - 1)] !== 1)
      lineEnd -= text[lineEnd - 2] === '\\' ? 2 : 1;
    if (lineEnd <= from) break;
    at = lineEnd;
    while (at > from && base64Units[text.charCodeAt(at - 1)] === 1) at -= 1;
    // `\n` as two characters: its letter is no part of the line.
    const start = text[at - 1] === '\\' ? at + 1 : at;
    if (lineEnd - start < 16 && (lines > 0 || first >= 0)) break;
    if (lineEnd - start >= 16 || lines === 0) first = start;
    if (text[at - 1] === '\\') at -= 1;
  }
  return first >= 0 && to - first >= 20 ? first : -1;
}
const base64Units = alphabet('+/=');
const closing = /-{2,5}\s?END (?:[A-Z0-9]{1,20} ){0,5}PRIVATE KEY(?: BLOCK)?-{0,5}/iy;
const bodyUnits = ((): Uint8Array => {
  const table = alphabet('+/=\\');
  for (const unit of [9, 10, 13, 32]) table[unit] = 1;
  return table;
})();

const putty: SecretRule = {
  literals: ['putty-user-key-file-'],
  findAt(text, at, _literal, out) {
    const window = text.slice(at, at + maxBlock);
    const key = /Private-Lines: ?\d{1,4}(?:\s|\\[nr])+/i.exec(window);
    if (key === null) return at;
    const start = at + key.index + key[0].length;
    const mac = /Private-MAC: ?[0-9a-f]{0,64}/i.exec(window.slice(start - at));
    const end = mac === null ? openEnd(text, start) : start + mac.index + mac[0].length;
    if (end > start) out.push({ start, end, type: 'SECRET_PRIVATE_KEY', rank: 100 });
    return Math.max(end, at);
  },
};

const wallet = /priv(?:ate)?[_ -]?key|wallet|secret|mnemonic|signer|account[_ -]?key|deployer|accident|leak|seed/i;
const ledger = pattern('i')`
    (?:tx|txn|transaction|hash|block|topic|root|digest|sha\d*|contract|calldata|commit|proof|slot
    |event)[_a-z]*["']?\s{0,2}[:=(]?\s{0,2}["']?$
  `;
/** 0x and 64 hex digits is a transaction's hash far more often than a key: the neighbourhood decides. */
const raw: SecretRule = {
  literals: ['0x'],
  findAt(text, at, _literal, out) {
    const hex = /[0-9A-Fa-f]{64}(?![0-9A-Za-z])/y;
    hex.lastIndex = at + 2;
    if (!hex.test(text) || alnum[text.charCodeAt(at - 1)] === 1) return at;
    const end = hex.lastIndex;
    const before = text.slice(Math.max(0, at - 80), at);
    if (
      /^(.)\1*$/.test(text.slice(at + 2, end)) ||
      ledger.test(before) ||
      !wallet.test(`${before} ${text.slice(end, end + 80)}`)
    )
      return end;
    out.push({ start: at, end, type: 'SECRET_PRIVATE_KEY', rank: 84 });
    return end;
  },
};

const seedPhrase = pattern('y')`
    [A-Za-z_ ]{4,40}["'\x60]?\s{0,3}(?:is|are|[:=])\s{0,3}["'\x60[]{0,2}
    ((?:\d{1,2}[.)]? ?)?[a-z]{3,8}(?:["'\x60]?,? {1,2}["'\x60]?(?:\d{1,2}[.)]? ?)?[a-z]{3,8}){11,23})
  `;
/** BIP-39 phrases: 12 to 24 plain words after the word for them. */
const seed: SecretRule = {
  literals: [
    'mnemonic',
    'seed phrase',
    'seed_phrase',
    'recovery phrase',
    'recovery words',
    'seed words',
    'backup phrase',
    'secret phrase',
  ],
  findAt(text, at, _literal, out: Finding[]) {
    seedPhrase.lastIndex = at;
    const match = seedPhrase.exec(text);
    if (match === null) return at;
    const end = seedPhrase.lastIndex;
    out.push({ start: end - (match[1] ?? '').length, end, type: 'SECRET_GENERIC', rank: 84 });
    return end;
  },
};

export const privateKeys: readonly SecretRule[] = [pem, headless, footed, putty, raw, seed];
