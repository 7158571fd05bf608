import { decide } from '../../../services/control/index.ts';
import { expect, test } from 'vitest';
import { createEndings } from '../../../services/statistics/endings.ts';
import { judgeLook } from '../../../services/statistics/judge-look.ts';
import { anEvaluation, aRevision, hour, monday } from '../../support/build.ts';

const ended = aRevision({ revision: 2, status: 'rolled_back', appliedAt: monday + 10 * hour });

test.each([
  ['running', { experiment: aRevision(), watermark: monday + 900 * hour }, false],
  [
    'ended, its end not in force everywhere',
    { experiment: ended, settled: false, watermark: monday + 900 * hour },
    false,
  ],
  ['ended, outcomes still count', { experiment: ended, watermark: monday + 80 * hour }, false],
  ['ended, and the longest window has passed', { experiment: ended, watermark: monday + 83 * hour }, true],
])('%s', (_name, change, isOver) => {
  const endings = createEndings();
  endings.published(anEvaluation(change));
  expect(endings.hasEnded(change.experiment)).toBe(isOver);
});

test('one that begins again is looked at again', () => {
  const endings = createEndings();
  endings.published(anEvaluation({ experiment: ended, watermark: monday + 900 * hour }));
  expect(endings.hasEnded({ ...ended, revision: 3, status: 'running' })).toBe(false);
});

test('an experiment that cannot be evaluated is named, and nothing is thrown at the others', () => {
  const broken = { experiment: aRevision(), partitions: undefined } as never;
  expect(judgeLook(broken, (evaluation) => decide(evaluation, []))).toMatchObject({
    ok: false,
    experiment: 'exp-test',
  });
});
