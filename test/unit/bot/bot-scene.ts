/** A bot on a log in memory, with a further actuator that remembers what it was asked to put in force. */
import { topics } from '../../../schemas/generated.ts';
import { type Actuator, type ActuatorResult, startBot } from '../../../services/bot/index.ts';
import { publishControl } from '../../../services/control/control-messages.kafka.ts';
import { type ControlRecord, personsDecision, whateverRuns } from '../../../services/control/index.ts';
import type { Decision } from '../../../services/kernel/decision.ts';
import { createAvroCodec } from '../../../services/runtime/avro-codec.ts';
import { createMemoryBroker } from '../../../services/runtime/memory-log.ts';
import { anApplication, hour, monday } from '../../support/build.ts';
import { createMemoryRegistry } from '../../support/memory-registry.ts';

const prefix = 'bot-test';
export const clock = { now: () => monday + 9 * hour };

type Asked = { readonly number: number; readonly status: string; readonly coverage: number };
type Answer = () => Promise<ActuatorResult>;

export const inForce: Answer = async () => ({ kind: 'in-force' });
export const refuses: Answer = async () => ({ kind: 'refused' });

/** Answers in this order, then always 'in-force'. */
export function fakeActuator(...answers: Answer[]): Actuator & { readonly asked: readonly Asked[] } {
  const asked: Asked[] = [];
  return {
    name: 'fake',
    asked,
    apply: async ({ status, coverage }, { number }) => {
      asked.push({ number, status, coverage });
      return (answers.shift() ?? inForce)();
    },
  };
}

/** By a person, for whatever runs, unless the test says otherwise. */
export const aDecision = (change: Partial<Decision> = {}): Decision => ({
  ...personsDecision(
    whateverRuns('exp-test'),
    { action: 'rollback', actor: 'ana', reason: JSON.stringify(change) },
    clock.now(),
  ),
  ...change,
});

export async function botScene() {
  const broker = createMemoryBroker();
  const log = broker.client();
  await log.createTopics(topics.map(({ suffix }) => ({ topic: `${prefix}.${suffix}`, partitions: 1, config: {} })));
  const codec = createAvroCodec({ clock, registry: createMemoryRegistry() });
  await codec.register(
    topics.flatMap(({ suffix, records }) => records.map((record) => ({ record, topic: `${prefix}.${suffix}` }))),
  );
  const producer = await log.producer();
  const deps = { prefix, log, producer, codec, clock };
  const closers: (() => Promise<void>)[] = [];
  return {
    broker,
    group: `${prefix}-bot`,
    say: (record: ControlRecord) => publishControl(deps, record, clock.now()),
    apply: (file?: string) => publishControl(deps, anApplication(file, `apply ${file ?? ''}`), monday),
    decide: (decision: Decision) => publishControl(deps, { kind: 'decision', decision }, clock.now()),
    /** Bytes that are no decision. */
    noise: () => producer.send([{ topic: `${prefix}.control.v1`, partition: 0, value: Buffer.from('no frame') }]),
    bot: async (actuator: Actuator, through = producer) => {
      const running = await startBot({ ...deps, producer: through, actuators: [actuator] });
      closers.push(running.close);
      return { ...running, acks: () => running.acks().filter((ack) => ack.actuator === actuator.name) };
    },
    producer,
    /** Every decision has one of each actuator, the built-in one's first. */
    acks: async (by: 'fake' | 'experiment-topic' = 'fake') =>
      (await log.readToEnd(`${prefix}.ack.v1`)).flatMap(({ value }) => {
        const decoded = codec.decode(['ack'], value ?? Buffer.alloc(0));
        return decoded.ok && decoded.value.actuator === by ? [decoded.value] : [];
      }),
    /** Revisions of the experiment topic and status of each. */
    published: async () =>
      (await log.readToEnd(`${prefix}.experiment.v1`)).flatMap(({ value }) => {
        const decoded = codec.decode(['experiment'], value ?? Buffer.alloc(0));
        return decoded.ok ? [[decoded.value.revision, decoded.value.status]] : [];
      }),
    close: async () => {
      for (const close of closers.splice(0).reverse()) await close();
    },
  };
}
