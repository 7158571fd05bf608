/**
 * A policy as a versioned file, and the keys of its tokens from a file or the environment. Everything wrong with them
 * is said at once, and no value of theirs is quoted.
 */
import { createRequire } from 'node:module';
import { z } from 'zod';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { defaultPolicy, type KeyVersion, type RedactionPolicy, type TokenKeys } from './policy.ts';

const typeName = z.string().regex(/^[A-Z][A-Z_]{1,30}$/, 'a type in capitals, as in EMAIL');
const score = z.number().min(0).max(1);
const source = z.string().min(1).max(500);

const policyFile = z.strictObject({
  /** Stored with every row: a new content is a new version. */
  version: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'letters, digits, dots and dashes, at most 63'),
  // unit: what two units' texts hold can no longer be joined, and an erased unit's tokens confirm no guess
  tokens: z.enum(['value', 'unit']).default('value'),
  off: z.array(typeName).default([]),
  thresholds: z.record(typeName, score).default({}),
  names: z.boolean().default(true), // a second tier: names in free text are found less surely than numbers
  own: z
    .array(z.strictObject({ type: typeName, pattern: source }))
    .max(100)
    .default([]),
  allow: z.array(source).max(100).default([]), // matched whole; secrets and cards leave all the same
  max_units: z.number().int().min(1_000).max(64_000_000).default(defaultPolicy.maxUnits), // UTF-16 units of one text
  max_steps: z
    .number()
    .int()
    .min(1_000)
    .max(10_000_000)
    .default(defaultPolicy.maxSteps ?? 60_000), // budget steps, about a microsecond each
});

/** What a checker says about a pattern's worst case. */
export type PatternJudge = (source: string, flags: string) => 'safe' | 'vulnerable' | 'unknown';

const refused = (place: string, what: string, hint: string): PipelineError =>
  new PipelineError('CONFIG_INVALID', `${place}: ${what}`, { hint });

/**
 * The judge that `recheck` is; undefined when it is not installed. Loaded on demand and at once: an emitter is made
 * without waiting.
 */
export function recheckJudge(): PatternJudge | undefined {
  try {
    const { checkSync } = createRequire(import.meta.url)('recheck') as typeof import('recheck');
    return (text, flags) => checkSync(text, flags, { timeout: 5_000 }).status;
  } catch {
    return undefined;
  }
}

function compiled(place: string, where: string, text: string, flags: string, judge: PatternJudge | undefined): RegExp {
  let pattern: RegExp;
  try {
    pattern = new RegExp(text, flags);
  } catch {
    throw refused(place, `${where} is no regular expression`, 'write it as JavaScript does, for the flag u');
  }
  if (pattern.test('')) throw refused(place, `${where} matches the empty text`, 'make it match at least one character');
  if (judge === undefined)
    throw refused(
      place,
      `${where} cannot be judged: recheck is not installed`,
      'npm install recheck, or take own and allowed patterns out of the policy',
    );
  const verdict = judge(text, flags);
  if (verdict !== 'safe')
    throw refused(
      place,
      `${where} is ${verdict === 'vulnerable' ? 'unsafe: a hostile text would stall it' : 'not known to be safe'}`,
      'bound its repetitions and keep alternatives apart',
    );
  return pattern;
}

/**
 * `document`: the parsed file; `place`: how messages name it. Patterns are accepted only when the judge calls them
 * safe. Throws `CONFIG_INVALID`.
 */
export function parsePolicy(
  document: unknown,
  judge: PatternJudge | undefined,
  tokens?: TokenKeys,
  place = 'redaction policy',
): RedactionPolicy {
  const parsed = policyFile.safeParse(document);
  if (!parsed.success)
    throw refused(
      place,
      parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'the file'}: ${message}`).join('; '),
      'compare it with the settings in services/redaction/README.md',
    );
  const {
    version,
    tokens: tokenScope,
    off,
    thresholds,
    names,
    own,
    allow,
    max_units: maxUnits,
    max_steps: maxSteps,
  } = parsed.data;
  return {
    ...defaultPolicy,
    version,
    tokenScope,
    off,
    thresholds,
    names,
    maxUnits,
    maxSteps,
    own: own.map(({ type, pattern }, index) => ({
      type,
      pattern: compiled(place, `own.${index}.pattern`, pattern, 'gu', judge),
    })),
    allow: allow.map((shape, index) => compiled(place, `allow.${index}`, `^(?:${shape})$`, 'u', judge)),
    ...(tokens && { tokens }),
  };
}

const keyLine = /^([a-z0-9-]{1,16}):([0-9a-fA-F]{32,128})$/;

/**
 * Key versions, the newest first, as `kid:hex` separated by commas or lines; empty text is no keys. Tokens are made
 * under the first; the others are still known, until a rotation ends and their line goes. A key that is gone cannot be
 * made again: its tokens name nobody any more.
 */
export function parseTokenKeys(text: string): TokenKeys | undefined {
  const lines = text
    .split(/[\n,]/)
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const keys = lines.map((line, index): KeyVersion => {
    const [, kid, hex] = keyLine.exec(line) ?? [];
    if (kid === undefined || hex === undefined || hex.length % 2 === 1)
      throw refused(
        'token keys',
        `token key ${index + 1} is not kid:hex`,
        'a kid of 1 to 16 of a-z, 0-9 and dashes, a colon, 16 bytes or more in hex',
      );
    return { kid, key: Buffer.from(hex, 'hex') };
  });
  if (new Set(keys.map(({ kid }) => kid)).size < keys.length)
    throw refused('token keys', 'two of them have one kid', 'give every key version its own kid');
  const [first, ...earlier] = keys;
  return first && { ...first, earlier };
}
