/** `sql`, `decisions`, `tail`: what analysts and SREs read; `results` is `results.ts`. */
import type { Apply, Decision as DecisionRecord, RedactedInference, RedactedOutcome } from '../../schemas/generated.ts';
import type { Decision } from '../kernel/decision.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { connect } from '../pipeline/connect.ts';
import { onSignals } from '../runtime/lifecycle.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { topicName } from '../runtime/topics.ts';
import { surroundings } from './addresses.ts';
import { type FoldedRecord, readControl } from './read-control.ts';
import { forPerson, print, printJson, table } from './terminal.ts';

export type Connection = Awaited<ReturnType<typeof connect>> & { readonly prefix: string };

export async function withConnection<T>(home: string, run: (connection: Connection) => Promise<T>): Promise<T> {
  const where = surroundings(home);
  const connection = await connect({ ...where, clock: systemClock, clientId: 'tripline-cli' });
  try {
    return await run({ ...connection, prefix: where.prefix });
  } finally {
    await connection.close();
  }
}

/** One statement that reads; the engine formats the answer. */
export async function sql(home: string, statement: string, json: boolean): Promise<number> {
  const text = statement.trim().replace(/;$/, '');
  if (!/^(select|with|show|describe|desc|exists|explain)\b/i.test(text))
    throw new PipelineError('CONFIG_INVALID', 'sql reads: SELECT, WITH, SHOW, DESCRIBE, EXISTS or EXPLAIN', {
      hint: 'use clickhouse-client for anything else',
    });
  await withConnection(home, async ({ store }) =>
    process.stdout.write(
      await store.text(text, json ? 'JSONEachRow' : forPerson ? 'PrettyCompact' : 'PrettyCompactNoEscapes'),
    ),
  );
  return 0;
}

/** A decision with its number and what became of it. */
export type ReadDecision = { readonly decision: Decision } & Pick<FoldedRecord, 'answer' | 'number' | 'frame'>;

/** Every decision on the control topic, oldest first; one that was said again is there once. */
export async function readDecisions(connection: Connection): Promise<ReadDecision[]> {
  const seen = new Set<string>();
  return (await readControl(connection)).records.flatMap(({ record, ...rest }) => {
    if (record.kind !== 'decision' || seen.has(record.decision.decisionId)) return [];
    seen.add(record.decision.decisionId);
    return [{ decision: record.decision, ...rest }];
  });
}

export async function decisions(home: string, experiment: string | undefined, json: boolean): Promise<number> {
  return withConnection(home, async (connection) => {
    const all = (await readDecisions(connection)).filter(
      ({ decision }) => experiment === undefined || decision.experimentId === experiment,
    );
    if (json)
      printJson(
        all.map(({ decision, number, answer: { result, code, reason } }) => ({
          number,
          ...decision,
          answer: { result, code, reason },
        })),
      );
    else if (all.length === 0) print('no decision yet');
    else
      print(
        table([
          ['number', 'action', 'answer', 'reason', 'metric', 'counted from', 'watermark', 'events', 'id'],
          ...all.map(({ decision, number, answer }) => [
            String(number),
            decision.action,
            answer.result === 'applied' ? answer.code : `${answer.result}: ${answer.code}`,
            decision.reasonCode,
            decision.metric ?? '-',
            decision.testStart ?? '-',
            decision.watermark === undefined ? '-' : new Date(decision.watermark).toISOString(),
            String(decision.eventsFolded),
            decision.decisionId,
          ]),
        ]),
      );
    return 0;
  });
}

const inferenceText = (event: RedactedInference): string =>
  [
    event.exposures.map((exposure) => `${exposure.experiment_id} ${exposure.variant}`).join(', ') || '-',
    event.model_served,
    `in ${event.token_in ?? '?'} out ${event.token_out ?? '?'}`,
    event.cost_nano_usd === null ? 'unpriced' : `$${(event.cost_nano_usd / 1e9).toFixed(6)}`,
    `${event.latency_ms ?? '?'} ms`,
    event.status,
    `trace ${event.trace_id.slice(0, 8)}`,
  ].join('  ');
const outcomeText = ({ kind, value, entity }: RedactedOutcome): string =>
  `${kind} ${value ?? 'retracted'}  ${entity?.type ?? 'unit'}`;
const decisionText = ({ experiment_id, action, metric, reason_code }: DecisionRecord): string =>
  `${experiment_id} ${action} ${metric ?? reason_code}`;

const applyText = ({ experiment_id, author, reason }: Apply): string => `${experiment_id} by ${author}: ${reason}`;

/** Clean events as they pass, until interrupted (or the end of what is there, with `once`). */
export async function tail(home: string, options: { json: boolean; once: boolean }): Promise<number> {
  return withConnection(home, async ({ log, codec, prefix }) => {
    const follow = async (suffix: 'inference.v1' | 'outcome.v1' | 'control.v1') =>
      log.follow(topicName(prefix, suffix), (record) => {
        const { value } = record;
        if (value === null) return;
        void Promise.resolve(codec.prepare([value])).then(() => {
          const decoded = codec.decode(['redacted-inference', 'redacted-outcome', 'decision', 'apply'], value);
          if (!decoded.ok) return;
          if (options.json) return print(JSON.stringify({ record: decoded.record, ...decoded.value }));
          const time = new Date(record.timestamp).toISOString().slice(11, 19);
          if (decoded.record === 'redacted-inference') print(`${time} inference  ${inferenceText(decoded.value)}`);
          else if (decoded.record === 'redacted-outcome') print(`${time} outcome    ${outcomeText(decoded.value)}`);
          else if (decoded.record === 'apply') print(`${time} apply      ${applyText(decoded.value)}`);
          else print(`${time} decision   ${decisionText(decoded.value)}`);
        });
      });
    const followers = await Promise.all([follow('inference.v1'), follow('outcome.v1'), follow('control.v1')]);
    if (options.once) await Promise.all(followers.map(({ caughtUp }) => caughtUp));
    else await onSignals();
    await Promise.all(followers.map(({ close }) => close()));
    return 0;
  });
}
