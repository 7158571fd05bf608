/**
 * What dropping a key erases: a version of the token key the tokens of everybody in it; a unit's key its pseudonym, and
 * nobody else's.
 */
import { hash } from 'node:crypto';
import { fc, test as property } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import type { InferenceEvent, OutcomeEvent } from '../../../schemas/generated.ts';
import { createPseudonymizer } from '../../../services/redactor/pseudonym.ts';
import { formatUnitKeys, parseUnitKeys, type UnitKeys } from '../../../services/redactor/unit-keys.ts';
import { redactInference, redactOutcome } from '../../../services/redactor/redact-event.ts';
import { parseTokenKeys } from '../../../services/redaction/config.ts';
import {
  defaultPolicy,
  redact,
  type RedactionPolicy,
  type TokenKeys,
  tokenOf,
  tokensUnder,
} from '../../../services/redaction/index.ts';
import { eraseKind } from '../../../services/kernel/erase.ts';
import { anInference, anOutcome } from '../../support/build.ts';

const [q1, q2] = [`q1:${'11'.repeat(32)}`, `q2:${'22'.repeat(32)}`];
const keysOf = (...lines: string[]): TokenKeys => parseTokenKeys(lines.join('\n')) as TokenKeys;
const policyOf = (...lines: string[]): RedactionPolicy => ({
  ...defaultPolicy,
  names: false,
  tokens: keysOf(...lines),
});

describe('a key version that is deleted', () => {
  const stored = redact('mail sam@example.org', policyOf(q1)).text;
  test('with the key, a guess is confirmed; that is what deleting takes away', () =>
    expect(stored).toBe(`mail ${tokenOf('EMAIL', 'sam@example.org', keysOf(q1))}`));
  property.prop([fc.uint8Array({ minLength: 16, maxLength: 32 })], { numRuns: 200 })(
    "under no other key is the value's token the stored one",
    (key) => {
      expect(stored).not.toContain(tokenOf('EMAIL', 'sam@example.org', { kid: 'q1', key }));
    },
  );
  test('rows of it no longer join new ones: the same value has another token', () => {
    const next = redact('mail sam@example.org', policyOf(q2)).text;
    expect(next).toMatch(/^mail \[EMAIL:q2:/);
    expect(next.slice(-17)).not.toBe(stored.slice(-17));
  });
  test('while both keys are kept, old tokens pass untouched; afterwards they are text that imitates', () => {
    expect(redact(stored, policyOf(q2, q1)).text).toBe(stored);
    expect(redact(stored, policyOf(q2)).text).toBe(stored.replace('[', '[?'));
  });
  test('secrets have no token to shred: only a class of length was ever kept', () =>
    expect(redact('{"password":"hunter2!Xy"}', policyOf(q1)).text).toBe('{"password":"[SECRET_GENERIC:l16]"}'));
});

describe('one unit', () => {
  const key = Buffer.alloc(32, 1);
  const erase = (pseudonym: ReturnType<typeof createPseudonymizer>) =>
    redactOutcome(
      {
        ...(anOutcome({}).event as OutcomeEvent),
        kind: eraseKind,
        entity: null,
        units: { user_id: 'u1', org_id: null, session_id: null },
      },
      1,
      { policy: policyOf(q1), pseudonym },
    );
  const unitOf = (verdict: ReturnType<typeof erase>) =>
    verdict.kind === 'forward' ? verdict.value.unit[0]?.record.body : undefined;
  test('is erased by a record that reaches the fold under its pseudonym, and its key goes with it', () => {
    const pseudonym = createPseudonymizer(key);
    expect(unitOf(erase(pseudonym))).toMatchObject({
      'tripline.v1.OutcomeSeen': { kind: eraseKind, unit_type: 'user', unit: pseudonym('user', 'u1') },
    });
    expect(erase(pseudonym)).toMatchObject({ value: { erased: [{ kind: 'user', id: 'u1' }] } });
  });
  describe('whose key has been dropped', () => {
    const stored = createPseudonymizer(key)('user', 'u1');
    const left = createPseudonymizer(key);
    left.drop([{ kind: 'user', id: 'u1' }]);
    const written = formatUnitKeys(left.keys());
    const remaining = createPseudonymizer(parseUnitKeys(written) as UnitKeys);
    test('cannot be met again: a right guess of its id is not confirmed', () => {
      expect(remaining.knows('user', 'u1')).toBe(false);
      expect(() => remaining('user', 'u1')).toThrow('has been dropped');
    });
    property.prop([fc.string({ maxLength: 20 })], { numRuns: 300 })('leaves everybody else who they were', (id) => {
      fc.pre(id !== 'u1');
      expect(remaining('user', id)).toEqual(createPseudonymizer(key)('user', id));
      expect(remaining('org', 'u1')).toEqual(createPseudonymizer(key)('org', 'u1'));
    });
    test('no key that is left makes the stored pseudonym: not as a key of the deployment, not as one of a unit', () => {
      const candidates = written.split('\n').flatMap((one) => one.split(':')[1] ?? []);
      expect(candidates.length).toBeGreaterThan(100);
      for (const candidate of candidates) {
        expect(createPseudonymizer(Buffer.from(candidate, 'hex'))('user', 'u1')).not.toEqual(stored);
        expect(hash('sha256', `tripline pseudonym\u001f${candidate}`).slice(0, 32)).not.toBe(stored.toString('hex'));
      }
      expect(written).not.toContain(stored.toString('hex'));
    });
  });
  test("after the deployment's pseudonym key is gone it cannot be met again, nor can anybody", () => {
    expect(unitOf(erase(createPseudonymizer(Buffer.alloc(32, 1))))).not.toEqual(
      unitOf(erase(createPseudonymizer(Buffer.alloc(32, 2)))),
    );
  });
});

describe('tokens bound to units', () => {
  const policy: RedactionPolicy = { ...policyOf(q1), tokenScope: 'unit' };
  const pseudonym = createPseudonymizer(Buffer.alloc(32, 1));
  const promptOf = (user: string, prompt: string, context = { policy, pseudonym }): string => {
    const verdict = redactInference(
      anInference({ user, prompt, slices: { who: 'sam@example.org' }, model_served: 'm' }).event as InferenceEvent,
      1,
      context,
    );
    if (verdict.kind !== 'forward') throw new Error(verdict.kind);
    const observation = verdict.value.unit[0]?.record.body as {
      'tripline.v1.Observation': { slices: Record<string, string> };
    };
    expect(observation['tripline.v1.Observation'].slices['who']).toBe(
      /\[.*\]/.exec(verdict.value.inference?.prompt ?? '')?.[0] ?? 'no token',
    );
    return verdict.value.inference?.prompt ?? '';
  };
  const stored = promptOf('u1', 'mail sam@example.org');
  test("one value, one token within a unit, in any form; another one in another unit, and none of everybody's", () => {
    expect(stored).toMatch(/^mail \[EMAIL:q1:[0-9a-f]{16}\]$/);
    expect(promptOf('u1', 'mail SAM [at] example [dot] org')).toBe(stored);
    expect(promptOf('u2', 'mail sam@example.org')).not.toBe(stored);
    expect(stored).not.toContain(tokenOf('EMAIL', 'sam@example.org', keysOf(q1)));
  });
  test("a token passes in its own unit, and one made for everybody passes too; another unit's is a stranger", () => {
    const everybodys = `mail ${tokenOf('EMAIL', 'sam@example.org', keysOf(q1))}`;
    const clean = (user: string, prompt: string) =>
      redactInference(anInference({ user, prompt }).event as InferenceEvent, 1, { policy, pseudonym });
    expect(clean('u1', stored)).toMatchObject({ value: { inference: { prompt: stored } } });
    expect(clean('u1', everybodys)).toMatchObject({ value: { inference: { prompt: everybodys } } });
    expect(clean('u2', stored)).toMatchObject({ value: { inference: { prompt: stored.replace('[', '[?') } } });
  });
  test("without the unit's key no right guess is confirmed, by the key of tokens and every key left", () => {
    const left = createPseudonymizer(Buffer.alloc(32, 1));
    left.drop([{ kind: 'user', id: 'u1' }]);
    expect(left.secret('user', 'u1')).toBeUndefined();
    const token = /\[.*\]/.exec(stored)?.[0] ?? '';
    for (const secret of [...left.keys().nodes.values()].flatMap((node) => [
      node,
      hash('sha256', `tripline unit secret\u001f${node}`),
    ]))
      expect(tokenOf('EMAIL', 'sam@example.org', tokensUnder(keysOf(q1), secret))).not.toBe(token);
    expect(promptOf('u2', 'mail sam@example.org', { policy, pseudonym: left })).toBe(
      promptOf('u2', 'mail sam@example.org'),
    );
    const before = createPseudonymizer(Buffer.alloc(32, 1)).secret('user', 'u1') ?? '';
    expect(tokenOf('EMAIL', 'sam@example.org', tokensUnder(keysOf(q1), before))).toBe(token);
  });
  test('a rotated key: tokens of the last version still pass in their unit', () => {
    const next = { ...policyOf(q2, q1), tokenScope: 'unit' as const };
    expect(
      redactInference(anInference({ user: 'u1', prompt: stored }).event as InferenceEvent, 1, {
        policy: next,
        pseudonym,
      }),
    ).toMatchObject({ value: { inference: { prompt: stored } } });
  });
});
