import { expect, test } from 'vitest';
import { defaultPolicy } from '../../../services/redaction/index.ts';
import { inputs } from '../../fuzz/inputs.ts';
import { brokenLaw } from '../../fuzz/laws.ts';

/** The short form of `npm run fuzz`. */
test.each([
  ['names on', 1, defaultPolicy],
  ['names off', 2, { ...defaultPolicy, names: false }],
  ['with keys', 3, { ...defaultPolicy, tokens: { kid: 'k1', key: Buffer.alloc(32, 1) } }],
] as const)(
  'laws hold for made-up and mutated inputs, %s',
  (_name, seed, policy) => {
    const broken: string[] = [];
    const source = inputs(seed);
    for (let count = 0; count < 1_500; count += 1) {
      const text = source.next().value as string;
      const law = brokenLaw(text, policy);
      if (law !== undefined) broken.push(`${law}: ${JSON.stringify(text)}`);
    }
    expect(broken).toEqual([]);
  },
  120_000,
);

test('the same seed makes the same inputs, another one others', () => {
  const first = (seed: number): readonly string[] =>
    Array.from(
      { length: 20 },
      (
        (source) => () =>
          source.next().value as string
      )(inputs(seed)),
    );
  expect(first(5)).toEqual(first(5));
  expect(first(5)).not.toEqual(first(6));
});
