/** `fallback_unit` in the file: a second id of the same unit, and part of the frozen design. */
import { expect, test } from 'vitest';
import { parseExperimentFile, planRevision } from '../../../services/control/index.ts';
import { parseRevision, formatRevision } from '../../../services/kernel/experiment-json.ts';
import { anExperimentFile, aRevision, monday } from '../../support/build.ts';

const withFallback = (fallback: string, unit = 'user'): string =>
  anExperimentFile({ extra: `  fallback_unit: ${fallback}\n` }).replace('unit: user', `unit: ${unit}`);
const problemsOf = (text: string) => {
  const parsed = parseExperimentFile(text, 'f.yaml');
  return parsed.ok ? [] : parsed.problems.map(({ path, line, code }) => `${line} ${path} ${code}`);
};

test.each([
  ['session', 'user'],
  ['session', 'org'],
  ['user', 'org'],
])('%s goes with unit: %s, and every part reads it', (fallback, unit) => {
  const revision = aRevision({}, withFallback(fallback, unit));
  expect(revision.spec).toMatchObject({ unit, fallbackUnit: fallback });
  expect(parseRevision(formatRevision(revision)).spec.fallbackUnit).toBe(fallback);
});
test.each([
  ['user', 'user', '8 experiment.fallback_unit fallback'],
  ['user', 'session', '8 experiment.fallback_unit fallback'],
  ['session', 'request', '8 experiment.fallback_unit fallback'],
  ['session', 'entity:ticket', '8 experiment.fallback_unit fallback'],
  ['device', 'user', '8 experiment.fallback_unit invalid_value'],
])('%s with unit: %s is refused in its place', (fallback, unit, expected) =>
  expect(problemsOf(withFallback(fallback, unit))).toEqual([expected]),
);
test('a file without it has none', () => expect(aRevision().spec).not.toHaveProperty('fallbackUnit'));

test('adding it begins a new phase: evidence of other units says nothing', () => {
  const parsed = parseExperimentFile(withFallback('session'), 'f.yaml');
  expect(parsed.ok && planRevision(parsed.spec, parsed.sha, aRevision(), monday, 'test', 'test')?.phase).toBe(2);
});
