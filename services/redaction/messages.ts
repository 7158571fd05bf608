/**
 * What the system says about itself (logs, errors, spans, headers of parked records), with anything personal or secret
 * taken out: a store or a broker may quote what it stumbled over. Names are not looked for, since topics and classes
 * read like names.
 */
import { defaultPolicy, type RedactionPolicy } from './policy.ts';
import { redactText } from './redact-text.ts';
import { type JsonValue, redactValue } from './walk.ts';

/**
 * Addresses of loopback and private networks (RFC 1122, 1918, 4193) stay: whoever reads "connection refused" must learn
 * where.
 */
const privateAddress = new RegExp(
  [
    String.raw`^(?:127|10)(?:\.\d{1,3}){3}$`,
    String.raw`^192\.168(?:\.\d{1,3}){2}$`,
    String.raw`^172\.(?:1[6-9]|2\d|3[01])(?:\.\d{1,3}){2}$`,
    String.raw`^(?:0\.0\.0\.0|::1?)$`,
    '^f[cd][0-9a-f]{2}:[0-9a-f:]+$',
  ].join('|'),
  'u',
);
const messagePolicy: RedactionPolicy = {
  ...defaultPolicy,
  names: false,
  maxUnits: 256 * 1024,
  allow: [privateAddress],
};

/** A message of ours; one that is longer than 256 K units goes out whole. Never throws. */
export const cleanMessage = (text: string): string => redactText(text, messagePolicy).text;

const plain = (value: unknown, depth: number): JsonValue => {
  if (value === null || typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number')
    return value;
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error)
    return {
      type: value.name,
      message: value.message,
      ...(value.stack !== undefined && { stack: value.stack }),
      ...('code' in value && { code: String(value.code) }),
    };
  if (typeof value !== 'object' || depth === 0) return String(typeof value);
  if (ArrayBuffer.isView(value)) return `${value.byteLength} bytes`;
  if (value instanceof Date) return String(value.getTime());
  if (Array.isArray(value)) return value.map((item: unknown) => plain(item, depth - 1));
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, item]) =>
      item === undefined || typeof item === 'function' ? [] : [[name, plain(item, depth - 1)]],
    ),
  );
};

/**
 * Fields of a log line, as JSON, eight levels deep: bytes become their number, errors their name, message and stack.
 */
export function cleanFields(fields: Readonly<Record<string, unknown>>): Record<string, JsonValue> {
  const { value } = redactValue(plain(fields, 8), messagePolicy);
  return value !== null && typeof value === 'object' && !Array.isArray(value)
    ? { ...(value as Record<string, JsonValue>) }
    : { withheld: value };
}
