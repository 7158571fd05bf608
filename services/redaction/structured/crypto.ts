/**
 * Addresses of crypto currencies: prefix, alphabet, length, checksum. A checksum raises the score; without it the words
 * around must agree.
 */
import { base58check, bech32 } from './checks.ts';
import { says } from './context.ts';
import { contextIn, type NumberTask } from './number-task.ts';

type Row = {
  readonly pattern: RegExp;
  readonly check?: (text: string) => boolean;
  readonly valid: number;
  readonly invalid: number;
};
/** Base58 as Bitcoin and as Ripple order it. */
const bitcoinUnits = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
const rippleUnits = 'rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz';
/**
 * Bitcoin and its kin, by version byte; Ethereum by shape (EIP-55 is optional); the rest as their documentation gives
 * them.
 */
const rows: readonly Row[] = [
  { pattern: /^0x[0-9a-fA-F]{40}$/, valid: 0.9, invalid: 0.9 },
  {
    pattern: /^(?:[a-z]{2,16}1[02-9ac-hj-np-z]{30,110}|[A-Z]{2,16}1[02-9AC-HJ-NP-Z]{30,110})$/,
    check: (text) => bech32(text.toLowerCase()),
    valid: 0.98,
    invalid: 0,
  },
  {
    pattern: /^(?:bc1|BC1|tb1|ltc1|LTC1|addr1|stake1|cosmos1|osmo1|terra1|bnb1|inj1)[0-9a-zA-Z]{20,110}$/,
    valid: 0.6,
    invalid: 0.6,
  },
  { pattern: /^[13][1-9A-HJ-NP-Za-km-z]{25,33}$/, check: base58check, valid: 0.95, invalid: 0.1 },
  { pattern: /^[LM][1-9A-HJ-NP-Za-km-z]{26,33}$/, check: base58check, valid: 0.95, invalid: 0.05 },
  { pattern: /^[DA9X][1-9A-HJ-NP-Za-km-z]{33}$/, check: base58check, valid: 0.95, invalid: 0.05 },
  { pattern: /^T[1-9A-HJ-NP-Za-km-z]{33}$/, check: base58check, valid: 0.95, invalid: 0.15 },
  { pattern: /^t[13][1-9A-HJ-NP-Za-km-z]{33}$/, check: base58check, valid: 0.95, invalid: 0.1 },
  {
    pattern: /^r[1-9A-HJ-NP-Za-km-z]{24,34}$/,
    check: (text) => base58check([...text].map((unit) => bitcoinUnits[rippleUnits.indexOf(unit)] ?? '').join('')),
    valid: 0.95,
    invalid: 0.1,
  },
  { pattern: /^(?:tz[1-4]|KT1)[1-9A-HJ-NP-Za-km-z]{33}$/, check: base58check, valid: 0.95, invalid: 0.1 },
  { pattern: /^G[A-Z2-7]{55}$/, valid: 0.7, invalid: 0 },
  { pattern: /^f[0-4][a-z2-7]{38,84}$/, valid: 0.1, invalid: 0.1 },
  { pattern: /^[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93}(?:[1-9A-HJ-NP-Za-km-z]{11})?$/, valid: 0.9, invalid: 0.9 },
  { pattern: /^(?:xpub|xprv|ypub|zpub)[1-9A-HJ-NP-Za-km-z]{100,112}$/, valid: 0.95, invalid: 0.95 },
  { pattern: /^[1-9A-HJ-NP-Za-km-z]{43,44}$/, valid: 0.1, invalid: 0.1 },
  { pattern: /^[1-9A-HJ-NP-Za-km-z]{46,48}$/, valid: 0.05, invalid: 0.05 },
  { pattern: /^(?:bitcoincash:)?[qp][02-9ac-hj-np-z]{41}$/, valid: 0.2, invalid: 0.2 },
];

const schemes = /(?<![a-z0-9])(?:bitcoincash|bchtest|simpleledger|ecash|kaspa|kaspatest|nexa):$/;
/** Where an address with a scheme of its own begins, or `start`. */
export const schemeStart = (text: string, start: number): number =>
  text.charCodeAt(start - 1) === 58
    ? start - (schemes.exec(text.slice(Math.max(0, start - 16), start))?.[0].length ?? 0)
    : start;

/** 0..1 for the word in [start, end) of 25 units and more. */
export function scoreCryptoAddress(task: NumberTask, start: number, end: number): number {
  if (end - start < 25 || end - start > 115) return 0;
  const word = task.text.slice(start, end);
  // The scheme in front says what it is (`bitcoincash:q...`).
  if (schemeStart(task.text, start) < start && /^[a-z0-9]{38,}$/.test(word)) return 0.9;
  for (const { pattern, check, valid, invalid } of rows) {
    if (!pattern.test(word)) continue;
    const passes = check?.(word) ?? true;
    if (passes && valid >= 0.5) return valid;
    if (!passes && invalid === 0) continue;
    if (!/[a-z]/.test(word) || !/[A-Z0-9]/.test(word)) return check === undefined ? 0 : invalid;
    if (invalid >= 0.5) return invalid;
    if (says(contextIn(task, start, end), 'crypto')) return invalid + 0.55;
    return 0;
  }
  return 0;
}
