/** `apply` and `kill`: what a person changes. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { publishRevision } from '../bot/index.ts';
import { killDecision, parseExperimentFile, planRevision } from '../control/index.ts';
import type { ExperimentRevision, ExperimentSpec } from '../kernel/experiment.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { cleanMessage } from '../redaction/messages.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { topicName } from '../runtime/topics.ts';
import { decisionMessages } from '../statistics/decisions.kafka.ts';
import { type Connection, readDecisions, withConnection } from './read.ts';
import { readRevisions } from './read-revisions.ts';
import { print } from './terminal.ts';

/** A file's specification, or every problem in it. */
export function readExperimentFile(file: string): { readonly spec: ExperimentSpec; readonly sha: string } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (cause) {
    throw new PipelineError('INPUT_UNREADABLE', `${file} cannot be read`, { cause, hint: 'check the path' });
  }
  const parsed = parseExperimentFile(text, file);
  if (!parsed.ok)
    throw new PipelineError(
      'EXPERIMENT_INVALID',
      [
        `${parsed.problems.length} problem${parsed.problems.length === 1 ? '' : 's'}, nothing was changed:`,
        ...parsed.problems.map(({ message }) => `  ${message}`),
      ].join('\n'),
      { hint: 'correct the lines named' },
    );
  return parsed;
}

/** The same for verbs that have no control traffic to learn baselines from. */
export function readResolvedExperiment(file: string): { readonly spec: ExperimentSpec; readonly sha: string } {
  const read = readExperimentFile(file);
  const waiting = read.spec.learning?.metrics.map(({ id }) => id) ?? [];
  if (waiting.length > 0)
    throw new PipelineError('EXPERIMENT_INVALID', `${file}: no baseline for ${waiting.join(', ')}`, {
      hint: 'declare baseline: { mean, sd } from before the run; only `apply` can learn one, from live control traffic',
    });
  return read;
}

/** The newest revision of each experiment. */
const current = async (connection: Connection): Promise<Map<string, ExperimentRevision>> =>
  new Map((await readRevisions(connection)).map((revision) => [revision.spec.id, revision]));

export async function apply(home: string, file: string, reason: string): Promise<number> {
  const { spec, sha } = readExperimentFile(file);
  return withConnection(home, async (connection) => {
    const { log, codec, prefix } = connection;
    const previous = (await current(connection)).get(spec.id);
    const planned = planRevision(spec, sha, previous, systemClock.now(), userInfo().username, cleanMessage(reason));
    const revision = planned ?? previous;
    if (revision === undefined) return 1;
    await codec.register([
      { record: 'experiment', topic: topicName(prefix, 'experiment.v1') },
      { record: 'unit-record', topic: topicName(prefix, 'unit.v1') },
    ]);
    const producer = await log.producer();
    // Said again even when nothing changes: an apply that was interrupted heals.
    await publishRevision({ prefix, log, producer, codec }, revision);
    print(
      planned
        ? `${spec.id}: revision ${revision.revision}, phase ${revision.phase}, coverage ${revision.coverage}%`
        : `${spec.id}: nothing changed, revision ${revision.revision} said again`,
    );
    return 0;
  });
}

/** Publishes a rollback decided by a person; the bot and every assigner obey it like any other. */
export async function kill(home: string, experiment: string, reason: string): Promise<number> {
  return withConnection(home, async (connection) => {
    const { log, codec, prefix } = connection;
    const revision = (await current(connection)).get(experiment);
    if (revision === undefined)
      throw new PipelineError('DECISION_UNKNOWN', `no experiment ${experiment}`, {
        hint: '`npx tripline apply FILE` makes one',
      });
    const past = (await readDecisions(connection)).map(({ decision }) => decision);
    const decision = killDecision(revision, past, userInfo().username, cleanMessage(reason), systemClock.now());
    await codec.register([{ record: 'decision', topic: topicName(prefix, 'control.v1') }]);
    const producer = await log.producer();
    await producer.send(decisionMessages({ prefix, codec }, decision, systemClock.now()));
    print(`${experiment}: rollback ${decision.seq} published (${decision.decisionId})`);
    return 0;
  });
}
