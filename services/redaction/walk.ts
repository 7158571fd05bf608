import { type RedactionPolicy, redact } from './index.ts';

export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Field names that decide by themselves: what stands there is replaced whatever it looks like. */
const fieldTypes: readonly (readonly [RegExp, string])[] = [
  [/^(?:.*[_-])?(?:pass(?:word|wd|phrase|code)?|pwd|passwort|kennwort|contrase[nñ]a|senha|motdepasse|wachtwoord|has[lł]o)$/i, 'SECRET_GENERIC'],
  [/^(?:.*[_-])?(?:secret|secret[_-]?key|client[_-]?secret|private[_-]?key|api[_-]?key|apikey|access[_-]?token|refresh[_-]?token|auth[_-]?token|bearer|credentials?|authorization|cookie|set-cookie)$/i, 'SECRET_GENERIC'],
  [/(?:Password|Passwd|Secret|ApiKey|AccessToken|RefreshToken|PrivateKey)$/, 'SECRET_GENERIC'],
  [/^(?:ssn|social[_-]?security(?:[_-]?number)?)$/i, 'US_SSN'],
  [/^(?:e-?mail(?:[_-]?address)?)$/i, 'EMAIL'],
  [/^(?:phone(?:[_-]?number)?|mobile|telephone|telefon|tel)$/i, 'PHONE'],
  [/^(?:card[_-]?number|credit[_-]?card|pan)$/i, 'CREDIT_CARD'],
  [/^(?:iban)$/i, 'IBAN'],
  [/^(?:dob|date[_-]?of[_-]?birth|birth[_-]?date|geburtsdatum)$/i, 'DATE_OF_BIRTH'],
];
const maxDepth = 64;
const maxNested = 3;

/**
 * Every string leaf, object key and long number of a JSON value, redacted; strings that hold JSON are read as such, three levels deep. Counts
 * by type. Fails closed: what cannot be walked becomes `[REDACTION_FAILED]` and is counted as that.
 */
export function redactValue(value: JsonValue, policy: RedactionPolicy): { readonly value: JsonValue; readonly counts: Readonly<Record<string, number>> } {
  const counts: Record<string, number> = {};
  const add = (type: string): void => {
    counts[type] = (counts[type] ?? 0) + 1;
  };
  const text = (input: string): string => {
    const { text: clean, spans } = redact(input, policy);
    for (const { type } of spans) add(type);
    return clean;
  };
  const leaf = (input: string, nested: number): string => {
    const first = input.trimStart()[0];
    if ((first === '{' || first === '[') && nested < maxNested) {
      let parsed: JsonValue | undefined;
      try {
        parsed = JSON.parse(input) as JsonValue;
      } catch {
        parsed = undefined;
      }
      if (parsed !== undefined && typeof parsed === 'object' && parsed !== null) {
        const clean = walk(parsed, nested + 1, 0);
        return clean.changed ? JSON.stringify(clean.value) : input;
      }
    }
    return text(input);
  };
  const walk = (node: JsonValue, nested: number, depth: number): { value: JsonValue; changed: boolean } => {
    if (depth > maxDepth) {
      add('REDACTION_FAILED');
      return { value: '[REDACTION_FAILED]', changed: true };
    }
    if (typeof node === 'string') {
      const clean = leaf(node, nested);
      return { value: clean, changed: clean !== node };
    }
    if (typeof node === 'number' && Math.abs(node) >= 1e11) {
      const clean = text(String(node));
      return clean === String(node) ? { value: node, changed: false } : { value: clean, changed: true };
    }
    if (node === null || typeof node !== 'object') return { value: node, changed: false };
    let changed = false;
    if (Array.isArray(node)) {
      const items = (node as readonly JsonValue[]).map((item) => {
        const clean = walk(item, nested, depth + 1);
        changed ||= clean.changed;
        return clean.value;
      });
      return { value: items, changed };
    }
    const entries = Object.entries(node as { readonly [key: string]: JsonValue }).map(([key, item]) => {
      const cleanKey = text(key);
      const decided = fieldTypes.find(([name]) => name.test(key))?.[1];
      changed ||= cleanKey !== key;
      if (decided !== undefined && (typeof item === 'string' || typeof item === 'number') && item !== '' && !/^\[[A-Z_]+(?::|\])/.test(String(item))) {
        add(decided);
        changed = true;
        return [cleanKey, `[${decided}]`] as const;
      }
      const clean = walk(item, nested, depth + 1);
      changed ||= clean.changed;
      return [cleanKey, clean.value] as const;
    });
    return { value: Object.fromEntries(entries), changed };
  };
  try {
    return { value: walk(value, 0, 0).value, counts };
  } catch {
    return { value: '[REDACTION_FAILED]', counts: { REDACTION_FAILED: 1 } };
  }
}
