/**
 * What a person changes: a record on the control topic, and its answer. It is written first and waited for then, so
 * that a `kill` never waits for anything.
 */
import { userInfo } from 'node:os';
import type { Ack } from '../../schemas/generated.ts';
import { publishControl } from '../control/control-messages.kafka.ts';
import {
  type ControlRecord,
  experimentOf,
  personsDecision,
  type PersonsOrder,
  whateverRuns,
} from '../control/index.ts';
import { canonicalJson, sha256Hex } from '../kernel/canonical-json.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { cleanMessage } from '../redaction/messages.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { topicName } from '../runtime/topics.ts';
import { answerLine } from './answer-line.ts';
import { type Connection, withConnection } from './read.ts';
import { readControl } from './read-control.ts';
import { readExperimentFile } from './read-file.ts';
import { print } from './terminal.ts';

/** Within a second when all is well; a broker may make a new reader wait three. */
const patienceMs = 10_000;

/** The ack topic from now on: `answerTo` resolves with the answer to a number, undefined when none came in time. */
async function followAnswers({ log, codec, prefix }: Connection) {
  const acks = new Map<number, Ack>();
  let wake: () => void = () => {};
  const following = log.follow(topicName(prefix, 'ack.v1'), ({ value }) => {
    if (value === null) return;
    void Promise.resolve(codec.prepare([value])).then(() => {
      const decoded = codec.decode(['ack'], value);
      const number = decoded.ok ? (decoded.value.control_offset ?? null) : null;
      if (!decoded.ok || number === null || decoded.value.actuator !== 'experiment-topic') return;
      acks.set(number, decoded.value);
      wake();
    });
  });
  following.catch(() => {}); // the answer is what it is asked for; without it, that is what is said
  return {
    answerTo: (number: number): Promise<Ack | undefined> =>
      new Promise((resolve) => {
        const timer = setTimeout(() => resolve(undefined), patienceMs);
        wake = () => {
          const ack = acks.get(number);
          if (ack === undefined) return;
          clearTimeout(timer);
          resolve(ack);
        };
        wake();
      }),
  };
}

/** Exit code 0 when what was asked for holds. */
async function say(connection: Connection, record: ControlRecord, verb: string): Promise<number> {
  const { log, codec, prefix } = connection;
  const topic = topicName(prefix, 'control.v1');
  await codec.register([
    { record: 'decision', topic },
    { record: 'apply', topic },
  ]);
  const answers = await followAnswers(connection);
  const producer = await log.producer();
  const number = await publishControl({ prefix, codec, producer }, record, systemClock.now());
  const answer = await answers.answerTo(number);
  const isBotThere = answer !== undefined || (await log.hasMembers(`${prefix}-bot`));
  const { line, code } = answerLine(experimentOf(record), verb, { number, answer, isBotThere });
  print(line);
  return code;
}

export async function apply(home: string, file: string, reason: string): Promise<number> {
  const { spec, sha } = readExperimentFile(file);
  const author = userInfo().username;
  const digest = sha256Hex(canonicalJson({ apply: spec.id, sha, author, now: systemClock.now() }));
  const application = {
    applyId: digest.slice(0, 32),
    experimentId: spec.id,
    spec,
    configSha: sha,
    author,
    reason: cleanMessage(reason),
    traceId: digest.slice(32, 64),
  };
  return withConnection(home, (connection) => say(connection, { kind: 'apply', application }, 'apply'));
}

export type OrderFlags = { readonly reason: string; readonly candidate?: string };

/** What is meant for whatever runs; anything else is meant for the revision that the person could see. */
const isUnconditional = (action: PersonsOrder['action']): boolean =>
  action === 'rollback' || action === 'pause' || action === 'end';

export async function order(
  home: string,
  action: PersonsOrder['action'],
  experiment: string,
  { reason, candidate }: OrderFlags,
): Promise<number> {
  return withConnection(home, async (connection) => {
    const given = {
      action,
      actor: userInfo().username,
      reason: cleanMessage(reason),
      ...(candidate !== undefined && { candidate }),
    };
    const seen = isUnconditional(action) ? whateverRuns(experiment) : await present(connection, experiment);
    const decision = personsDecision(seen, given, systemClock.now());
    return say(connection, { kind: 'decision', decision }, action === 'rollback' ? 'kill' : action);
  });
}

async function present(connection: Connection, experimentId: string) {
  const revision = (await readControl(connection)).table.get(experimentId)?.revision;
  if (revision === undefined)
    throw new PipelineError('DECISION_UNKNOWN', `no experiment ${experimentId}`, {
      hint: '`npx tripline apply FILE` makes one',
    });
  const { phase, revision: number, configSha } = revision;
  return { experimentId, phase, revision: number, configSha };
}
