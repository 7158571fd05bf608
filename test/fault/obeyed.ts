/**
 * `npm run obeyed -- --seconds 600`: two bots, two processes of statistics and three people's command lines that apply,
 * kill, pause, resume and end at random, on real parts, with kill -9 of any of them. At the end there is one table
 * everywhere, every record is answered once, no kill was lost and nothing came back. Exit 1 otherwise.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startEmbedded } from '../../infra/embedded/index.ts';
import { readControl } from '../../services/cli/read-control.ts';
import { createRandom } from '../../services/demo/story.ts';
import { followExperiments } from '../../services/emitter/index.ts';
import { formatRevision } from '../../services/kernel/experiment-json.ts';
import { connect, type Connection } from '../../services/pipeline/connect.ts';
import { prepare } from '../../services/pipeline/prepare.ts';
import { systemClock } from '../../services/runtime/system-clock.ts';
import { anExperimentFile } from '../support/build.ts';
import { createStageProcesses } from '../support/stage-processes.ts';
import { until } from '../support/until.ts';

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '600' }, seed: { type: 'string', default: '1' } },
});
process.env['KAFKAJS_NO_PARTITIONER_WARNING'] = '1';
const bin = fileURLToPath(new URL('../../services/cli/bin.mjs', import.meta.url));
const random = createRandom(Number(values.seed));
const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
const home = mkdtempSync(join(tmpdir(), 'tripline-obeyed-'));
const prefix = 'obeyed';
const id = 'exp-test';
const design = (text: string): string =>
  anExperimentFile({ extra: '  ramp: { coverage: [10, 50, 100], hold: 1h, min_units: 10 }\n' }).replace(
    'weight: 50 }',
    text,
  );
const files = ['weight: 50 }', 'weight: 60 }', 'weight: 70 }'].map((text, index) => {
  const file = join(home, `design-${index}.yaml`);
  writeFileSync(file, design(text));
  return file;
});

/** One verb of a person, in a process of its own; sometimes it is killed before it has its answer. */
function say(
  env: NodeJS.ProcessEnv,
  args: readonly string[],
): Promise<{ code: number | null; said: string; ms: number }> {
  const began = performance.now();
  const child = spawn(process.execPath, [bin, ...args], { cwd: home, env });
  let said = '';
  child.stdout.on('data', (text: Buffer) => {
    said += text.toString();
  });
  child.stderr.on('data', (text: Buffer) => {
    said += text.toString();
  });
  if (random() < 0.15) setTimeout(() => child.kill('SIGKILL'), 500 + random() * 1_500).unref();
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, said, ms: performance.now() - began })));
}

function verb(): string[] {
  const action = pick(['apply', 'kill', 'kill', 'pause', 'resume', 'advance', 'promote', 'end'] as const);
  const reason = ['--reason', `${Math.floor(random() * 1e6)}`];
  return action === 'apply' ? ['apply', pick(files), ...reason] : [action, id, ...reason];
}

type Place = Pick<Connection, 'log' | 'codec'> & { readonly prefix: string };

async function answersOf({ log, codec }: Place): Promise<Map<number, Set<string>>> {
  const answers = new Map<number, Set<string>>();
  for (const { value } of await log.readToEnd(`${prefix}.ack.v1`)) {
    if (value === null) continue;
    await codec.prepare([value]);
    const decoded = codec.decode(['ack'], value);
    if (!decoded.ok) continue;
    const { control_offset: number, result, code, revision, decision_id } = decoded.value;
    const known = answers.get(number ?? -1) ?? new Set();
    answers.set(number ?? -1, known.add(JSON.stringify([result, code, revision, decision_id])));
  }
  return answers;
}

async function judge(place: Place): Promise<string[]> {
  const { table, records } = await readControl(place);
  const truth = table.get(id)?.revision;
  const end = truth && formatRevision(truth);
  const wrong: string[] = [];
  const answers = await answersOf(place);
  for (const { number, answer, record } of records) {
    const given = answers.get(number) ?? new Set();
    if (given.size !== 1) wrong.push(`control ${number} has ${given.size} answers: ${[...given].join(' ')}`);
    const isStopped = (status?: string): boolean => status !== 'running' && status !== 'paused';
    const isKill = record.kind === 'decision' && record.decision.action === 'rollback';
    if (isKill && answer.before && !isStopped(answer.after?.status)) wrong.push(`the kill at ${number} was lost`);
    const cameBack = answer.before && isStopped(answer.before.status) && !isStopped(answer.after?.status);
    if (cameBack && answer.before?.phase === answer.after?.phase) wrong.push(`control ${number} brought it back`);
  }
  const source = followExperiments({ ...place, clock: systemClock, ttlMs: 60_000 });
  await source.ready;
  const served = source.table().revisions.get(id);
  if ((served && formatRevision(served)) !== end)
    wrong.push(`an assigner serves ${served?.revision}, not ${truth?.revision}`);
  await source.close();
  return wrong;
}

const stack = await startEmbedded({ home: join(home, 'stack') });
const { brokers, clickhouseUrl, registryUrl } = stack;
const addresses = { brokers, clickhouseUrl, registryUrl };
const connection = await connect({ ...addresses, database: 'obeyed', clock: systemClock, clientId: 'judge' });
await prepare({ ...addresses, prefix, partitions: 2, eventTime: false }, connection);
const env: Record<string, string> = {
  KAFKA_BROKERS: brokers,
  CLICKHOUSE_URL: clickhouseUrl,
  SCHEMA_REGISTRY_URL: registryUrl,
  TRIPLINE_TOPIC_PREFIX: prefix,
  TRIPLINE_DATABASE: 'obeyed',
  TRIPLINE_SESSION_TIMEOUT_MS: '6000',
};
const processes = createStageProcesses(env);
const place = { ...connection, prefix };
let exitCode = 1;
try {
  for (const stage of ['joiner', 'bot', 'bot', 'statistics', 'statistics'] as const) await processes.start(stage);
  const over = performance.now() + Number(values.seconds) * 1_000;
  const answered: number[] = [];
  let [spoken, unanswered, killed] = [0, 0, 0];
  const person = async (): Promise<void> => {
    while (performance.now() < over) {
      const { code, said, ms } = await say({ ...process.env, ...env }, verb());
      spoken += 1;
      if (code === null) killed += 1;
      else if (said.includes('not obeyed yet')) unanswered += 1;
      else answered.push(ms);
    }
  };
  const reaper = async (): Promise<void> => {
    while (performance.now() < over) {
      await wait(8_000 + random() * 12_000);
      const stage = pick(['bot', 'bot', 'statistics'] as const);
      const victim = pick(processes.running(stage));
      await victim?.child.stop('SIGKILL');
      killed += 1;
      await processes.start(stage);
    }
  };
  await Promise.all([person(), person(), person(), reaper()]);
  await until(
    'every record to be answered',
    async () => {
      const [end = 0] = await place.log.endOffsets(`${prefix}.control.v1`);
      return (await answersOf(place)).size >= end;
    },
    120_000,
  );
  const wrong = await judge(place);
  const [records] = await place.log.endOffsets(`${prefix}.control.v1`);
  answered.sort((a, b) => a - b);
  const median = answered[Math.floor(answered.length / 2)]?.toFixed(0);
  console.log(
    `${spoken} commands, ${records} records, ${killed} processes killed, ${unanswered} heard "not obeyed yet", ` +
      `median of a command's process ${median} ms; ${wrong.length} wrong`,
  );
  for (const what of wrong) console.log(`WRONG  ${what}`);
  exitCode = wrong.length === 0 && (records ?? 0) > 0 ? 0 : 1;
} finally {
  await processes.close();
  await connection.close();
  await stack.stop();
  rmSync(home, { recursive: true, force: true });
}
process.exit(exitCode);
