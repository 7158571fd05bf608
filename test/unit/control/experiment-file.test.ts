import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { experimentFileSchema, parseExperimentFile } from '../../../services/control/index.ts';
import { anExperimentFile } from '../../support/build.ts';
import { metricLines } from '../../support/metric-line.ts';
import { realData } from '../../support/real-data.ts';

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

describe('the experiment file', () => {
  test('five mistakes are five problems, each with its place', () => {
    const text = anExperimentFile()
      .replace('unit: user', 'unit: users')
      .replace('weight: 50 }', 'weight: half }')
      .replace('numerator: errors', 'numerator: errorz')
      .replace('window: 1h', 'window: 1 hour')
      .replace('better: lower', 'beter: lower, better: lower');
    const found = problems(text);
    expect(found.map(({ path }) => path).sort()).toEqual([
      'experiment.arms[0].weight',
      'experiment.metrics[0].beter',
      'experiment.metrics[0].numerator',
      'experiment.metrics[0].window',
      'experiment.unit',
    ]);
    expect(found.every(({ message }) => /^f\.yaml:\d+:\d+ /.test(message))).toBe(true);
    expect(found.find(({ path }) => path.endsWith('beter'))?.message).toContain('did you mean "better"?');
    expect(found.find(({ path }) => path === 'experiment.unit')?.line).toBe(4);
  });
});

describe('a mistake in the file', () => {
  test.each([
    ['what this version does not do is refused', anExperimentFile({ extra: '  review: {}\n' }), 'review'],
    [
      'an SLO of a metric that is not there',
      anExperimentFile({ extra: '  slos: [{ id: s, arm: B, metric: nothing, worse_than: 0.1 }]\n' }),
      'no metric "nothing"',
    ],
    [
      'an SLO of an arm that is not there',
      anExperimentFile({ extra: '  slos: [{ id: s, arm: C, metric: error_rate, worse_than: 0.1 }]\n' }),
      'no arm "C"',
    ],
    [
      'an SLO beyond the cap',
      anExperimentFile({ extra: '  slos: [{ id: s, arm: B, metric: error_rate, worse_than: 1 }]\n' }),
      'between 0 and 1',
    ],
    [
      'a hard kill of sticky units',
      anExperimentFile({
        extra: '  slos: [{ id: s, arm: B, metric: error_rate, worse_than: 0.1, hard_kill: { fail: 20, of: 25 } }]\n',
      }),
      'unit request',
    ],
    [
      'a hard kill that chance reaches',
      anExperimentFile({
        extra: '  slos: [{ id: s, arm: B, metric: error_rate, worse_than: 0.1, hard_kill: { fail: 3, of: 25 } }]\n',
      }).replace('unit: user', 'unit: request'),
      'ask for more failures',
    ],
    [
      'a guardrail that is worth having',
      anExperimentFile().replace('role: guardrail,', 'role: guardrail, worthwhile: 0.01,'),
      'only a goal',
    ],
    [
      'two controls',
      anExperimentFile().replace('{ id: B, weight: 50 }', '{ id: B, role: control, weight: 50 }'),
      'control',
    ],
    ['an arm twice', anExperimentFile().replace('id: B', 'id: A'), 'twice'],
    ['a cap below the mean', anExperimentFile().replace('cap: 5000', 'cap: 500'), 'cap'],
    ['no YAML', 'version: 1\nexperiment: {', ''],
  ])('%s', (_name, text, word) => {
    const found = problems(text);
    expect(found.length).toBeGreaterThan(0);
    expect(found.some(({ message }) => message.includes(word))).toBe(true);
  });
});

describe('a file without mistakes', () => {
  test('a harm in percent is relative to the mean, a quantile becomes a rate of passing its threshold', () => {
    const parsed = parseExperimentFile(
      anExperimentFile({
        metrics: metricLines([
          {
            id: 'p95',
            denominator: undefined,
            numerator: undefined,
            role: 'signal',
            quantile: 0.95,
            of: 'latency_ms',
            threshold: 9000,
          },
          { id: 'c', numerator: 'cost_nano_usd', harm: '+20%', baseline: { mean: 1000, sd: 500 } },
        ]),
      }),
      'f',
    );
    expect(
      parsed.ok && parsed.spec.metrics.map(({ numerator, harm, cap }) => [numerator, harm, Math.round(cap)]),
    ).toEqual([
      [{ of: 'inference', name: 'over', field: 'latency_ms', threshold: 9000 }, expect.closeTo(0.025), 1],
      [{ of: 'inference', name: 'cost_nano_usd' }, 200, 2288],
    ]);
  });
  test('has a JSON Schema', () => expect(JSON.stringify(experimentFileSchema())).toContain('restart_every'));
  const data = realData();
  test.skipIf(data === undefined).each(['d1-aa', 'd2-tuesday', 'd3-model-swap'])('%s parses', (name) => {
    expect(problems(readFileSync(`${data}/scenarios/${name}.experiment.yaml`, 'utf8'))).toEqual([]);
  });
});

describe('a number that would stop whoever computes with it is refused, with its bounds', () => {
  const file = anExperimentFile({ extra: '  analysis: { restart_every: 6h, horizon: 14d }\n' });
  test.each([
    ['weight: 50 }', 'weight: 5e-324 }', 'at least 0.001'],
    ['weight: 50 }', 'weight: 1e300 }', 'at most 1000000'],
    ['weight: 50 }', 'weight: 0.001 }', 'at least 0.0001 of the weights'],
    ['restart_every: 6h', 'restart_every: 1ms', 'between 1m and 3650d'],
    ['restart_every: 6h, horizon: 14d', 'restart_every: 1m, horizon: 14d', '20160 test starts'],
    ['horizon: 14d', 'horizon: 999999999d', 'between 1s and 3650d'],
    ['window: 1h', 'window: 1ms', 'between 1s and 3650d'],
    ['restart_every: 6h', 'alpha_harm: 5e-324', 'between 1e-12 and 1'],
    ['harm: +20%', 'harm: 5e-324', 'a change is between'],
    ['sd: 500', 'sd: 5e-324', 'at least 1e-9'],
    ['mean: 1000', 'mean: 1e308', 'at most 1000000000000000'],
    ['cap: 5000', 'cap: 1e308', 'at most 1000000000000000'],
    ['weight: 50 }', 'weight: 50, config: { "__proto__": { model: x } } }', 'no key may be called "__proto__"'],
  ])('%s as %s', (before, after, said) => {
    expect(problems(file)).toEqual([]);
    expect(file).toContain(before);
    const found = problems(file.replace(before, after));
    expect(found.map(({ message }) => message).join('\n')).toContain(said);
  });
});
