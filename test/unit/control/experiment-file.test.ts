import { describe, expect, test } from 'vitest';
import { parseExperimentFile } from '../../../services/control/index.ts';
import { anExperimentFile } from '../../support/build.ts';

const problems = (text: string) => {
  const parsed = parseExperimentFile(text, 'f.yaml');
  return parsed.ok ? [] : parsed.problems;
};
const places = (text: string): string[] => problems(text).map(({ path, line }) => `${line} ${path}`);

describe('one mistake is one problem, and all of them come at once', () => {
  test('types, keys, arms, steps and baselines in one file', () => {
    const text = anExperimentFile({
      extra: '  ramp: { coverage: [50, 5], hold: 6h, min_units: 1 }\n  review: []\n  analisys: { alpha_harm: 1 }\n',
    })
      .replace('{ id: B, weight: 50 }', '{ id: A, weight: -1 }')
      .replace('better: lower', 'beter: lower')
      .replace('harm: +20%', 'harm: 0');
    expect(places(text)).toEqual([
      '7 experiment.arms[1].id',
      '7 experiment.arms[1].weight',
      '8 experiment.ramp.coverage[1]',
      '9 experiment.review',
      '10 experiment.analisys',
      '12 experiment.metrics[0].beter',
      '13 experiment.metrics[1].harm',
    ]);
  });
  test('a misspelt optional key is not also a missing baseline', () => {
    expect(places(anExperimentFile().replace('baseline: { mean: 1000', 'baselne: { mean: 1000'))).toEqual([
      '10 experiment.metrics[1].baselne',
    ]);
  });
  test('a key given twice does not hide the rest', () => {
    expect(
      problems(anExperimentFile().replace('unit: user', 'unit: user\n  unit: users')).map(({ code }) => code),
    ).toEqual(['invalid_format', 'DUPLICATE_KEY']);
  });
});

describe('content that no record can hold is refused, not thrown', () => {
  const nine = (name: string): string => `[${Array.from({ length: 9 }, () => name).join(', ')}]`;
  test.each([
    [
      'aliases that unfold without end',
      `a: &a ${nine('1')}\nb: &b ${nine('*a')}\nc: &c ${nine('*b')}\nd: ${nine('*c')}`,
    ],
    ['an alias that holds itself', 'a: &a [*a]'],
    ['an infinite number', anExperimentFile().replace('weight: 50 }', 'weight: 50, config: { a: .inf } }')],
    ['nothing', ''],
    ['two documents', 'a: 1\n---\nb: 2'],
    ['300 KiB', `# ${'x'.repeat(300_000)}`],
  ])('%s', (_name, text) => {
    expect(problems(text)).toHaveLength(1);
    expect(problems(text)[0]?.message).toMatch(/^f\.yaml:\d+:\d+ \S/);
  });
});

describe('the normalised specification', () => {
  test.each([
    ['a percentage', 'harm: +20%', 200],
    ['an absolute number', 'harm: 0.0000001', 1e-7],
    ['the sign only repeats the direction', 'harm: -5%', 50],
  ])('harm as %s', (_name, harm, size) => {
    const parsed = parseExperimentFile(anExperimentFile().replace('harm: +20%', harm), 'f.yaml');
    expect(parsed.ok && parsed.spec.metrics[1]?.harm).toBeCloseTo(size, 12);
  });
  test('the hash is of the content: spaces, order and comments do not change it, a value does', () => {
    const sha = (text: string): string | undefined => {
      const parsed = parseExperimentFile(text, 'f.yaml');
      return parsed.ok ? parsed.sha : undefined;
    };
    const file = anExperimentFile();
    expect(
      sha(
        [
          '# a comment',
          file.replace('{ id: A, role: control, weight: 50 }', '{ weight:   50, role: control, id: A }'),
        ].join('\n'),
      ),
    ).toBe(sha(file));
    expect(sha(file.replace('weight: 50 }', 'weight: 51 }'))).not.toBe(sha(file));
  });
  test('a tolerance as large as the cap is refused', () =>
    expect(places(anExperimentFile().replace('cap: 1 }', 'cap: 1, margin: 1 }'))).toEqual([
      '9 experiment.metrics[0].margin',
    ]));
});
