/**
 * One schedule: people, two bots, two processes of statistics and assigners, a step at a time in an order that a seed
 * gives, with crashes, delays and records that are delivered twice. At the end everybody reads to the end, and what
 * they hold, what was stopped and what was answered is compared with the log.
 */
import { type ControlRecord, idOf, personsDecision, whateverRuns } from '../../../../services/control/index.ts';
import { createRandom } from '../../../../services/demo/story.ts';
import type { Evaluation } from '../../../../services/kernel/evaluation.ts';
import type { ExperimentRevision } from '../../../../services/kernel/experiment.ts';
import { aMetric, anApplication, anEvaluation, anExperimentFile, hour } from '../../../support/build.ts';
import { metricLines } from '../../../support/metric-line.ts';
import type { Build } from './build.ts';
import { createTopics, givesControl, id, isStopped, type Log } from './log.ts';
import { createAssigner, createBot, type Reader } from './readers.ts';
import { createStatistics, type Statistics } from './statistics.ts';

const metrics = metricLines([
  { id: 'error_rate', role: 'goal', harm: '+0.05', baseline: { mean: 0.05, sd: 0.2 }, cap: 1 },
]);
const file = (extra: string): string =>
  anExperimentFile({ metrics, extra: `  ramp: { coverage: [50, 100], hold: 1h, min_units: 1 }\n${extra}` });
/** A design, the same with another clock, and another design. */
const applications = [
  file(''),
  file('  analysis: { min_run: 1h }\n'),
  file('').replace('weight: 50 }', 'weight: 60 }'),
].map((text) => anApplication(text).application);

const actions = ['rollback', 'rollback', 'pause', 'resume', 'promote', 'advance', 'end'] as const;

type Mood = 'calm' | 'harm' | 'signal' | 'win';
const moods: readonly Mood[] = ['calm', 'harm', 'signal', 'win', 'harm'];

/** What is the matter with a phase: nothing at first, then what the seed says. */
function createNature(seed: number, log: Log) {
  let looks = 0;
  let changes = 0;
  const moodOf = (phase: number): Mood => (changes > 0 ? (moods[(phase + seed) % moods.length] ?? 'calm') : 'calm');
  const evaluate = (experiment: ExperimentRevision): Evaluation => {
    const mood = moodOf(experiment.phase);
    looks += 1;
    const at = Math.max(log.topics.now, experiment.phaseStartedAt) + 48 * hour;
    return anEvaluation({
      experiment,
      versionVector: [{ partitionId: 0, position: looks }],
      watermark: at,
      newestClock: at,
      metrics: [
        aMetric({ role: 'goal', log: mood === 'harm' ? 9 : -1, winLog: mood === 'win' ? 9 : -5 }),
        ...(mood === 'signal' ? [aMetric({ metric: 'noise', role: 'signal', log: 9 })] : []),
      ],
    });
  };
  const change = (): void => {
    changes += 1;
  };
  return { moodOf, evaluate, change, version: () => changes };
}
type Nature = ReturnType<typeof createNature>;

/** What people write: it is on its way until it is delivered, perhaps twice. */
function createPeople(log: Log, build: Build, random: () => number) {
  const { topics, append } = log;
  const below = (limit: number): number => Math.floor(random() * limit);
  const underWay: ControlRecord[] = [];
  let written = 0;
  const write = (record: ControlRecord): void => {
    build.number(record, () => topics.control.map((entry) => entry.record));
    underWay.push(record);
  };
  return {
    applyFile: (): void => {
      written += 1;
      const application = applications[below(applications.length)] as (typeof applications)[number];
      write({ kind: 'apply', application: { ...application, applyId: `apply-${written}` } });
    },
    order: (): void => {
      written += 1;
      const action = actions[below(actions.length)] ?? 'rollback';
      const revision = log.table().get(id)?.revision;
      const isBound = action === 'resume' || action === 'promote' || action === 'advance';
      const seen =
        isBound && revision !== undefined
          ? { experimentId: id, phase: revision.phase, revision: revision.revision, configSha: '' }
          : whateverRuns(id);
      const given = { action, actor: 'ana', reason: `${written}` };
      write({ kind: 'decision', decision: personsDecision(seen, given, topics.now) });
    },
    deliver: (): void => {
      const [record] = underWay.splice(below(underWay.length), 1);
      if (record === undefined) return;
      append(record);
      if (random() < 0.15) underWay.push(record); // its answer was lost: the client sends it again
    },
    deliverAll: (): void => {
      while (underWay.length > 0) append(underWay.shift() as ControlRecord);
    },
  };
}

export type Verdict = { readonly wrong: readonly string[]; readonly records: number };

export function runSchedule(seed: number, build: Build): Verdict {
  const random = createRandom(seed);
  const below = (limit: number): number => Math.floor(random() * limit);
  const log = createTopics(build);
  const { topics } = log;
  const nature = createNature(seed, log);
  const people = createPeople(log, build, random);
  const bots = ['bot 1', 'bot 2'].map((name) => createBot(name, log, build));
  const statistics = ['statistics 1', 'statistics 2'].map((name) => createStatistics(name, log, build, nature));
  const assigners = ['assigner 1', 'assigner 2'].map((name) => createAssigner(name, log, build));
  const readers = [...bots, ...statistics, ...assigners];
  const steps: readonly (() => unknown)[] = [
    people.deliver,
    people.deliver,
    people.applyFile,
    people.order,
    ...[...bots, ...bots, ...bots, ...readers].map((reader) => reader.step),
    ...statistics.flatMap(({ look, send, say, adopt }) => [look, send, say, adopt, adopt]),
    () => readers[below(readers.length)]?.crash(),
    () => {
      topics.now += below(12_000);
    },
    nature.change,
  ];
  people.applyFile();
  const length = 40 + below(100);
  for (let at = 0; at < length; at += 1) {
    topics.now += 1;
    steps[below(steps.length)]?.();
  }
  people.deliverAll();
  settle(log, statistics, readers);
  return { wrong: [...topics.wrong, ...judge(log, readers, assigners, nature)], records: topics.control.length };
}

/** Everybody reads to the end, and statistics has its say until nothing changes. */
function settle({ topics }: Log, statistics: readonly Statistics[], readers: readonly Reader[]): void {
  for (let round = 0, isBusy = true; round < 12 && isBusy; round += 1) {
    topics.now += 3_600_000 + round;
    isBusy = false;
    for (const { send, say, adopt, look } of statistics)
      for (const step of [send, say, adopt, look, send]) isBusy = step() || isBusy;
    for (const reader of readers)
      while (reader.step()) {
        isBusy = true;
        topics.now += 1;
      }
    for (const { adopt } of statistics) while (adopt());
  }
}

const specs = new Map<unknown, number>();
/** A revision as one text; a specification, which nobody changes, by its number. */
function text(revision: ExperimentRevision | undefined): string {
  if (revision === undefined) return 'nothing';
  const number = specs.get(revision.spec) ?? specs.size;
  specs.set(revision.spec, number);
  return JSON.stringify({ ...revision, spec: number });
}

function judge(
  log: Log,
  readers: readonly Reader[],
  assigners: readonly ReturnType<typeof createAssigner>[],
  { moodOf }: Nature,
): string[] {
  const { topics } = log;
  const wrong: string[] = [];
  const truth = topics.truth.at(-1);
  const end = text(truth);
  for (const { name, table } of readers)
    if (text(table().get(id)?.revision) !== end)
      wrong.push(`${name} ends with ${table().get(id)?.revision.revision}, the log with ${truth?.revision}`);
  for (const { name, served } of assigners)
    if (text(served()) !== end) wrong.push(`${name} serves ${served()?.revision}, the log says ${truth?.revision}`);
  return [...wrong, ...judgeLog(log), ...judgeAnswers(log), ...judgeGuard(truth, moodOf)];
}

/** No kill or rollback that was meant for what runs is lost; nothing that was stopped comes back but by a new file. */
function judgeLog({ topics }: Log): string[] {
  const wrong: string[] = [];
  const seen = new Set<string>();
  for (const [offset, { record }] of topics.control.entries()) {
    const [before, after] = [topics.truth[offset], topics.truth[offset + 1]];
    const isAgain = seen.has(idOf(record));
    seen.add(idOf(record));
    if (record.kind === 'decision' && record.decision.action === 'rollback' && before !== undefined && !isAgain) {
      const { actor, phase } = record.decision;
      if ((actor !== 'engine' || phase === before.phase) && !givesControl(after))
        wrong.push(`the ${actor === 'engine' ? 'rollback' : 'kill'} at control ${offset} was lost`);
    }
    const cameBack = isStopped(before) && !isStopped(after);
    if (cameBack && (record.kind !== 'apply' || after?.phase === before?.phase))
      wrong.push(`control ${offset} brought a stopped arm back`);
  }
  return wrong;
}

/** Each record has one answer, however often it was given; a revision is one text, whoever wrote it. */
function judgeAnswers({ topics }: Log): string[] {
  const wrong: string[] = [];
  const answers = new Map<number, string>();
  for (const { control_offset: number, result, code, revision, decision_id } of topics.acks) {
    const answer = JSON.stringify([result, code, revision, decision_id]);
    if (number !== null && number !== undefined) {
      if ((answers.get(number) ?? answer) !== answer) wrong.push(`control ${number} has two answers`);
      answers.set(number, answer);
    }
  }
  for (const offset of topics.control.keys()) if (!answers.has(offset)) wrong.push(`control ${offset} has no answer`);
  const texts = new Map<number, string>();
  for (const revision of topics.adopted) {
    const said = text(revision);
    if ((texts.get(revision.revision) ?? said) !== said) wrong.push(`revision ${revision.revision} is two`);
    texts.set(revision.revision, said);
  }
  return wrong;
}

/** Harm that is there at the end has stopped what runs. */
const judgeGuard = (truth: ExperimentRevision | undefined, moodOf: Nature['moodOf']): string[] =>
  truth !== undefined && moodOf(truth.phase) === 'harm' && !isStopped(truth)
    ? [`harm, and the experiment is ${truth.status}: nobody guards`]
    : [];
