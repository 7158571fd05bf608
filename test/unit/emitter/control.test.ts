/** What an assigner serves while others still disagree: the control topic, checkpoints of bots ahead or behind. */
import { expect, test } from 'vitest';
import { assign } from '../../../services/assignment/index.ts';
import { personsDecision, whateverRuns } from '../../../services/control/index.ts';
import { followExperiments } from '../../../services/emitter/index.ts';
import { anApplication, anExperimentFile, aRevision, monday } from '../../support/build.ts';
import { aLog, heard } from './experiment-log.ts';

test('a kill is obeyed as it stands on the control topic, without a bot; a stale bot brings nothing back', async () => {
  const { log, codec, clock, say, order } = await aLog();
  const { onRevision, next } = heard();
  const source = followExperiments({ prefix: 'p', log, codec, clock, ttlMs: 1_000, onRevision });
  await source.ready;
  const begun = next();
  order(0, anApplication());
  say(aRevision(), { upTo: 1, taken: [] });
  expect(await begun).toBe(1);
  const killed = next();
  const kill = personsDecision(whateverRuns('exp-test'), { action: 'rollback', actor: 'ana', reason: 'INC' }, monday);
  order(1, { kind: 'decision', decision: kill });
  expect(await killed).toBe(2);
  expect(assign(source.table(), 'exp-test', { userId: 'u' })).toMatchObject({ reason: 'DISABLED', variant: 'A' });
  say(aRevision(), { upTo: 1, taken: [] });
  say(aRevision({ revision: 2, status: 'running' }));
  await new Promise(setImmediate);
  expect(source.table().revisions.get('exp-test')).toMatchObject({ revision: 2, status: 'rolled_back' });
  await source.close();
});
test('a new phase begins when the bot has told those who count; until then what was served is served', async () => {
  const { log, codec, clock, say, order } = await aLog();
  const { onRevision, next } = heard();
  const source = followExperiments({ prefix: 'p', log, codec, clock, ttlMs: 1_000, onRevision });
  await source.ready;
  const begun = next();
  order(0, anApplication());
  say(aRevision(), { upTo: 1, taken: [] });
  await begun;
  const other = anExperimentFile().replace('weight: 50 }', 'weight: 60 }');
  const told = next();
  order(1, anApplication(other, 'c'.repeat(32)));
  await new Promise(setImmediate);
  expect(source.table().revisions.get('exp-test')?.phase).toBe(1);
  say(aRevision({ revision: 2, phase: 2 }, other), { upTo: 2, taken: [] });
  expect(await told).toBe(2);
  expect(source.table().revisions.get('exp-test')?.phase).toBe(2);
  await source.close();
});
