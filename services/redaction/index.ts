/**
 * `tripline/redaction`: personal data and secrets out of text. One pure function over a text and a policy; every layer has a budget, and what goes
 * over it is taken out whole (fails closed). Covered here: structured personal data and secrets; names, addresses, national ids
 * and encodings are not (see README).
 */
import { createHmac } from 'node:crypto';
import { contactDetectors } from './contact.ts';
import { detect, type Finding } from './detector.ts';
import { financeDetectors } from './finance.ts';
import { foldText } from './fold-text.ts';
import { identityDetectors } from './identity.ts';
import { networkDetectors } from './network.ts';
import { secretDetectors } from './secrets.ts';

export { redactValue } from './walk.ts';

export const redactorVersion = '1';

/** Half-open range in UTF-16 units of the input. */
export type Span = { readonly start: number; readonly end: number; readonly type: string };
export type Redaction = { readonly text: string; readonly spans: readonly Span[] };

export type RedactionPolicy = {
  readonly version: string;
  /** Absent: values become `[TYPE]`. Present: `[TYPE:kid:16 hex]`, the same for the same value. Secrets never get a token. */
  readonly tokens?: { readonly kid: string; readonly key: Uint8Array };
  /** Texts longer than this many UTF-16 units are worked on in pieces. */
  readonly pieceUnits: number;
  /** Texts longer than this are taken out whole. */
  readonly maxUnits: number;
};
export const defaultPolicy: RedactionPolicy = { version: 'default-1', pieceUnits: 64 * 1024, maxUnits: 4 * 1024 * 1024 };

const detectors = [...secretDetectors, ...contactDetectors, ...financeDetectors, ...identityDetectors, ...networkDetectors];

/** No digit, no separator that any pattern needs: most prose ends here. */
const anyAnchor = /[0-9@=]|:\/\/|-----BEGIN|[:：]\s?\S{6}|\b(?:at|dot)\b|(?:pass|pwd|secret|token|senha|clave|contras|kennw|parola|парол|密码|パス|암호)|[^ -~\s]/i;

/** Ours and others' placeholders, uuids and trace ids: shapes that pass through untouched. */
const protectedShapes = /\[[A-Z][A-Z_]{1,30}(?::[a-z0-9-]{1,16}:[0-9a-f]{16})?\]|\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]\b|\b(?:19|20)\d\d-[01]\d-[0-3]\d[T ][0-2]\d:[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?/gi;

/** More findings than this in one piece is an attack or a dump: it goes out whole. */
const maxFindings = 10_000;

function findIn(input: string): readonly Span[] | 'too-many' {
  const folded = foldText(input);
  const text = folded?.text ?? input;
  if (!anyAnchor.test(text)) return [];
  const found: Finding[] = [];
  for (const detector of detectors) {
    detect(text, detector, maxFindings, found);
    if (found.length > maxFindings) return 'too-many';
  }
  if (found.length === 0) return [];
  for (const match of text.matchAll(protectedShapes)) found.push({ start: match.index, end: match.index + match[0].length, type: '', rank: 87 });
  found.sort((a, b) => b.rank - a.rank || a.start - b.start);
  const taken = new Uint8Array(text.length);
  const spans: Span[] = [];
  for (const { start, end, type } of found) {
    let from = start;
    let to = end;
    while (from < to && taken[from] === 1) from += 1;
    while (to > from && taken[to - 1] === 1) to -= 1;
    if (from >= to || (type !== '' && from !== start && to - from < 6) || taken.subarray(from, to).includes(1)) continue;
    taken.fill(1, from, to);
    if (type === '') continue;
    // An end in the folded text is one past its last unit: the input's unit after that one's first.
    spans.push(folded ? { start: folded.map[from] ?? 0, end: (folded.map[to - 1] ?? input.length - 1) + 1, type } : { start: from, end: to, type });
  }
  return spans.sort((a, b) => a.start - b.start);
}

/** What the same value looks like however it was written. */
function canonical(type: string, value: string): string {
  switch (type) {
    case 'EMAIL':
      return value.normalize('NFKC').toLowerCase();
    case 'PHONE':
      return `${value.trim().startsWith('+') ? '+' : ''}${value.replaceAll(/\D/g, '')}`;
    case 'CREDIT_CARD':
    case 'US_SSN':
      return value.replaceAll(/\D/g, '');
    case 'IBAN':
      return value.replaceAll(/[^A-Za-z0-9]/g, '').toUpperCase();
    default:
      return value;
  }
}

function replacement(type: string, value: string, policy: RedactionPolicy): string {
  if (policy.tokens === undefined || type.startsWith('SECRET')) return `[${type}]`;
  const digest = createHmac('sha256', policy.tokens.key).update(`${type}\u001f${canonical(type, value)}`).digest('hex').slice(0, 16);
  return `[${type}:${policy.tokens.kid}:${digest}]`;
}

/** Cuts long texts where no value is likely to be cut: at white space near the piece's end. */
function pieces(text: string, size: number): number[] {
  const cuts = [0];
  while ((cuts.at(-1) ?? 0) + size < text.length) {
    const end = (cuts.at(-1) ?? 0) + size;
    const space = Math.max(text.lastIndexOf(' ', end), text.lastIndexOf('\n', end));
    cuts.push(space > end - 4_096 ? space + 1 : end);
  }
  cuts.push(text.length);
  return cuts;
}

/** `text` with every finding replaced, and where they were. Redacting the result again changes nothing. */
export function redact(text: string, policy: RedactionPolicy = defaultPolicy): Redaction {
  if (text.length > policy.maxUnits) return { text: '[TOO_LARGE]', spans: [{ start: 0, end: text.length, type: 'TOO_LARGE' }] };
  const spans: Span[] = [];
  const cuts = pieces(text, policy.pieceUnits);
  for (let index = 0; index + 1 < cuts.length; index += 1) {
    const from = cuts[index] ?? 0;
    const found = findIn(text.slice(from, cuts[index + 1]));
    if (found === 'too-many') return { text: '[TOO_MANY]', spans: [{ start: 0, end: text.length, type: 'TOO_MANY' }] };
    for (const { start, end, type } of found) spans.push({ start: start + from, end: end + from, type });
  }
  if (spans.length === 0) return { text, spans };
  let clean = '';
  let at = 0;
  for (const { start, end, type } of spans) {
    clean += text.slice(at, start) + replacement(type, text.slice(start, end), policy);
    at = end;
  }
  return { text: clean + text.slice(at), spans };
}
