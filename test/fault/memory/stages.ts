/**
 * The running stages themselves in one process: redactor, linker and joiner loops over the log and a store in memory,
 * while their partitions are taken back, sends are refused or answered to nobody, flushes fail before or after they are
 * durable, and instances die or are frozen, overtaken and woken.
 */
import { setTimeout as wait } from 'node:timers/promises';
import type { UnitRecord } from '../../../schemas/generated.ts';
import { formatRevision } from '../../../services/kernel/experiment-json.ts';
import { bucketOf, partitionOf } from '../../../services/kernel/ids.ts';
import type { Arrival } from '../../../services/replay/scenario-lines.ts';
import type { LogProducer, OutgoingRecord } from '../../../services/runtime/log.ts';
import { aRevision, hour, monday } from '../../support/build.ts';
import { foldEagerly } from '../../support/joiner-driver.ts';
import type { StateRowRead } from '../../support/memory-state.ts';
import { until } from '../../support/until.ts';
import { messageOf } from '../differ.ts';
import { disorderOf } from '../disorder.ts';
import { totalsWrong } from './judge.ts';
import {
  createScenario,
  drawFault,
  prefix,
  type Scenario,
  type StagesFaults,
  topicOf,
  unitRecordToAll,
} from './scenario.ts';
import { type StageInstance, startInstance } from './stage-instance.ts';
import { comparedText } from './state-rows.ts';

export type StagesVerdict = {
  readonly wrong: readonly string[];
  readonly faults: StagesFaults;
  readonly fastForwards: number;
};

const revision = aRevision();
const groups = ['redactor', 'linker', 'joiner'].map((stage) => `${prefix}-${stage}`);

const adopted: UnitRecord['body'] = {
  'tripline.v1.ExperimentAdopted': {
    experiment_id: revision.spec.id,
    revision: revision.revision,
    document: formatRevision(revision),
  },
};

/** The processes of a trial: the last is the current one; those before it are frozen, or were. */
type Processes = { readonly instances: StageInstance[]; readonly thaws: (() => void)[] };

function toRecord({ codec, partitions }: Scenario, arrival: Arrival): OutgoingRecord {
  const key = arrival.kind === 'inference' ? arrival.event.units.user_id : arrival.event.entity?.id;
  return {
    topic: topicOf(arrival.kind === 'inference' ? 'inference.raw.v1' : 'outcome.raw.v1'),
    partition: partitionOf(bucketOf('any', key ?? ''), partitions),
    value:
      arrival.kind === 'inference'
        ? codec.encode('inference-event', arrival.event)
        : codec.encode('outcome-event', arrival.event),
    timestamp: arrival.arrivedAt,
  };
}

/** An emitter repeats what it has no answer for. */
async function sendUntilAnswered(producer: LogProducer, records: readonly OutgoingRecord[]): Promise<void> {
  for (let done = false; !done; )
    done = await producer.send(records).then(
      () => true,
      () => false,
    );
}

async function kill(scenario: Scenario, { instances }: Processes, current: StageInstance): Promise<void> {
  scenario.faults.kills += 1;
  current.gate.kill();
  current.suspend();
  instances.splice(instances.length - 1, 1, await startInstance(scenario));
}

/** Frozen and out of its groups; another takes over, and one day it wakes up. */
async function freeze(scenario: Scenario, { instances, thaws }: Processes, current: StageInstance): Promise<void> {
  scenario.faults.frozen += 1;
  const thaw = current.gate.freeze();
  const back = current.suspend();
  thaws.push(() => {
    thaw();
    back();
  });
  instances.push(await startInstance(scenario));
}

/** One thing happens to the stages, or nothing does. */
async function disturb(scenario: Scenario, processes: Processes): Promise<void> {
  const { random, broker, faults } = scenario;
  const { instances, thaws } = processes;
  const what = random();
  const current = instances.at(-1);
  if (what < 0.15) {
    faults.rebalances += 1;
    broker.rebalance(groups[Math.floor(random() * groups.length)] as string);
  } else if (what < 0.25 && current) await kill(scenario, processes, current);
  else if (what < 0.35 && current && thaws.length < 2) await freeze(scenario, processes, current);
  else if (what < 0.45) thaws.shift()?.();
}

async function sendDisturbed(
  scenario: Scenario,
  producer: LogProducer,
  processes: Processes,
  arrivals: readonly Arrival[],
): Promise<void> {
  const { random } = scenario;
  for (let sent = 0; sent < arrivals.length; ) {
    const chunk = arrivals.slice(sent, sent + 1 + Math.floor(random() * 12));
    sent += chunk.length;
    await sendUntilAnswered(
      producer,
      chunk.map((arrival) => toRecord(scenario, arrival)),
    );
    await wait(random() < 0.5 ? 0 : Math.floor(random() * 8));
    await disturb(scenario, processes);
  }
}

const caughtUp = ({ outside }: Scenario, stage: string, topic: string): Promise<unknown> =>
  until(`${stage} to catch up`, async () => {
    const ends = await outside.endOffsets(topicOf(topic));
    const done = await outside.committedOffsets(`${prefix}-${stage}`, topicOf(topic));
    return ends.every((end, partition) => (done[partition] ?? 0) >= end);
  });

/** One stage after the other, as records go; a stage that fails ends the waiting. */
async function drain(scenario: Scenario, { instances }: Processes): Promise<void> {
  const orFailed = (waiting: Promise<unknown>): Promise<unknown> =>
    Promise.race([waiting, ...instances.map(({ failed }) => failed)]);
  const raw = ['inference.raw.v1', 'outcome.raw.v1'];
  await orFailed(Promise.all(raw.map((topic) => caughtUp(scenario, 'redactor', topic))));
  await orFailed(caughtUp(scenario, 'linker', 'entity.v1'));
  await orFailed(caughtUp(scenario, 'joiner', 'unit.v1'));
}

/** The rows of a partition against a fold of its log from the beginning that keeps everything in memory. */
async function rowsWrong({ outside, codec }: Scenario, rows: readonly StateRowRead[], partitionId: number) {
  const log = (await outside.readToEnd(topicOf('unit.v1')))
    .filter(({ partition }) => partition === partitionId)
    .flatMap(({ value }) => {
      const decoded = codec.decode(['unit-record'], value ?? Buffer.alloc(0));
      return decoded.ok ? decoded.value.records : [];
    });
  const have = comparedText(rows, partitionId);
  const want = comparedText([...foldEagerly(log, partitionId).store.rows.values()], partitionId);
  if (JSON.stringify(have) === JSON.stringify(want)) return [];
  const others = have.filter((row) => !want.includes(row)).length;
  return [`rows of ${partitionId} differ from a fold of its log: ${others} of ${want.length}`];
}

async function verdictOf(scenario: Scenario, arrivals: readonly Arrival[]): Promise<string[]> {
  const rows = [...scenario.memory.rows.values()];
  const wrong = totalsWrong(rows, revision.spec, arrivals);
  for (let partitionId = 0; partitionId < scenario.partitions; partitionId += 1)
    wrong.push(...(await rowsWrong(scenario, rows, partitionId)));
  const parked = (await scenario.outside.endOffsets(topicOf('parked.v1')))[0] ?? 0;
  if (parked > 0) wrong.push(`${parked} parked`);
  return wrong;
}

export async function runStagesTrial(seed: number): Promise<StagesVerdict> {
  const scenario = await createScenario(seed);
  const producer = await scenario.outside.producer();
  await producer.send(unitRecordToAll(scenario, adopted, monday));
  const { arrivals } = disorderOf(seed, { calls: 80 });
  const processes: Processes = { instances: [await startInstance(scenario)], thaws: [] };
  scenario.broker.fault = () => drawFault(scenario);
  const wrong: string[] = [];
  try {
    await sendDisturbed(scenario, producer, processes, arrivals);
    for (const thaw of processes.thaws.splice(0)) thaw();
    scenario.calm = true;
    scenario.broker.fault = undefined;
    await drain(scenario, processes);
    const end = (arrivals.at(-1)?.arrivedAt ?? monday) + 400 * hour;
    await producer.send(unitRecordToAll(scenario, { 'tripline.v1.Tick': { nothing: null } }, end));
    await drain(scenario, processes);
  } catch (error) {
    wrong.push(`threw: ${messageOf(error)}`);
  }
  const { instances } = processes;
  const fastForwards = instances.reduce((sum, instance) => sum + instance.fastForwards(), 0);
  await Promise.all(instances.map((instance) => instance.close()));
  wrong.push(...(await verdictOf(scenario, arrivals)));
  return { wrong, faults: scenario.faults, fastForwards };
}
