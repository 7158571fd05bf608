/**
 * Labelled records on real parts: from the emitter through Kafka and every stage into ClickHouse; then every table, log
 * of the engine, topic past raw, log line, span and error text is searched for the labelled values, as they are,
 * folded, base64, percent-encoded and hex. Then the audit as people type it, and a rebuild.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { createNeedles } from '../../services/cli/audit-redaction-needles.ts';
import { auditRedaction, type Audit } from '../../services/cli/audit-redaction.ts';
import { defaultPolicy } from '../../services/redaction/index.ts';
import { topicName } from '../../services/runtime/topics.ts';
import { until } from '../support/until.ts';
import { allowedOf, classOf, goldOf, isSure, readLabelled } from './redaction-labels.ts';
import {
  everyRow,
  planted,
  provokeErrors,
  type RedactionScenario,
  say,
  sendUnreadable,
  startScenario,
} from './redaction-scenario.ts';

const run = promisify(execFile);
const prefix = `redaction-${process.pid}`;
const database = `redaction_${process.pid}`;
const pseudonymKey = Buffer.alloc(32, 6);
const keys = `k2:${'ab'.repeat(16)},k1:${'cd'.repeat(16)}`;
const home = mkdtempSync(join(tmpdir(), 'tripline-redaction-'));
const records = readLabelled();
const gold = goldOf(records);
let scenario: RedactionScenario;
let audit: Audit;

const bin = fileURLToPath(new URL('../../services/cli/bin.mjs', import.meta.url));
/** The command as people type it, on the scenario's addresses. */
async function tripline(...words: string[]): Promise<{ code: number; out: string }> {
  const addresses = inject('addresses');
  const env = {
    ...process.env,
    NO_COLOR: '1',
    KAFKA_BROKERS: addresses.brokers,
    CLICKHOUSE_URL: addresses.clickhouseUrl,
    SCHEMA_REGISTRY_URL: addresses.registryUrl,
    TRIPLINE_TOPIC_PREFIX: prefix,
    TRIPLINE_DATABASE: database,
    TRIPLINE_PSEUDONYM_KEY: pseudonymKey.toString('hex'),
    TRIPLINE_TOKEN_KEYS: keys,
  };
  try {
    const { stdout, stderr } = await run(process.execPath, [bin, ...words], { cwd: home, env, maxBuffer: 1 << 28 });
    return { code: 0, out: stdout + stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, out: stdout + stderr };
  }
}

const searchedText = ({ searched }: Audit): string =>
  [
    `${records.length} records, ${gold.length} values; ${searched.rows} rows in ${searched.columns} columns`,
    `${searched.records} records in ${searched.topics} topics`,
    `engine logs: ${searched.systemLogs.join(', ') || 'none kept'}`,
  ].join(', ');
const classText = (row: { name: string; n: number; still: number; allowed: number }): string =>
  [
    `${row.name.padEnd(46)} n ${String(row.n).padStart(4)}`,
    `still there ${String(row.still).padStart(3)}`,
    `allowed ${String(row.allowed).padStart(3)}`,
  ].join('   ');

describe.runIf(records.length > 0)('labelled records through the pipeline', () => {
  beforeAll(async () => {
    scenario = await startScenario({ addresses: inject('addresses'), home, prefix, database, pseudonymKey, keys });
    const { emitter, pipeline } = scenario;
    for (const [index, { text }] of records.entries()) say(scenario, text, index);
    await sendUnreadable(scenario, gold);
    await provokeErrors(scenario, gold);
    expect(await emitter.flush({ timeoutMs: 60_000 })).toBe(true);
    await everyRow(scenario, records);
    await scenario.telemetry.flush();
    const { store, log, codec } = pipeline;
    const needles = createNeedles(gold.map(({ value }) => value));
    audit = await auditRedaction({ store, log, codec, prefix, needles });
  });

  test('labelled values are gone: none of the sure classes, no more of the others than their gates allow', () => {
    const leaked = new Set(audit.findings.flatMap(({ values }) => values));
    const classes = new Map<string, { gate: number; n: number; still: number }>();
    for (const [index, one] of gold.entries()) {
      const row = classes.get(classOf(one)) ?? { gate: one.gate, n: 0, still: 0 };
      row.n += 1;
      if (leaked.has(index)) row.still += 1;
      classes.set(classOf(one), row);
    }
    const rows = [...classes]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, { gate, n, still }]) => ({ name, n, still, allowed: allowedOf(gate, n) }));
    console.log(searchedText(audit));
    console.log(rows.map(classText).join('\n'));
    expect(gold.length).toBeGreaterThan(1_000);
    expect(rows.filter(({ still, allowed }) => still > allowed)).toEqual([]);
  });
  test('the search finds what is there: the raw topics are full of it', async () => {
    const needles = createNeedles(gold.map(({ value }) => value));
    const found = new Set<number>();
    for (const { value } of await scenario.pipeline.log.readToEnd(topicName(prefix, 'inference.raw.v1')))
      needles.search(value?.toString('utf8') ?? '', (index) => found.add(index));
    expect(found.size).toBeGreaterThan((gold.length - needles.tooShort.length) * 0.97);
  });
  test('no log line, span or error text holds a value of the sure classes', () => {
    const sure = gold.filter(isSure);
    const needles = createNeedles(sure.map(({ value }) => value));
    expect(readFileSync(scenario.logFile, 'utf8').split('\n').length).toBeGreaterThan(records.length);
    const hay = {
      logs: readFileSync(scenario.logFile, 'utf8').split('\n'),
      spans: [JSON.stringify(scenario.receiver.spans)],
      errors: scenario.errors,
      emitter: [JSON.stringify(scenario.emitter.stats())],
    };
    const hits: string[] = [];
    for (const [name, texts] of Object.entries(hay)) {
      expect([name, texts.length > 0]).toEqual([name, true]);
      for (const text of texts)
        needles.search(text, (index, form) => hits.push(`${name} ${sure[index]?.type} ${form}`));
    }
    expect(hits).toEqual([]);
    expect(scenario.errors.filter((message) => /STORE|code \d+/.test(message)).length).toBeGreaterThan(10);
  });
  test('rows say under what they were redacted, metrics count by type, tier and policy', async () => {
    const rows = await scenario.pipeline.store.rows<{ redactor_version: string; policy_version: string }>(
      'SELECT DISTINCT redactor_version, policy_version FROM inferences FINAL',
    );
    expect(rows).toEqual([{ redactor_version: expect.stringMatching(/./), policy_version: defaultPolicy.version }]);
    // What the counters say is what the rows add up to, by type and by type and tier.
    const [columns] = await scenario.pipeline.store.rows<{ equal: string; n: string }>(
      `SELECT
        countIf(arraySum(mapValues(redactions)) = arraySum(mapValues(redaction_tiers))) = count() AS equal,
        sum(arraySum(mapValues(redaction_tiers))) AS n
      FROM inferences FINAL`,
    );
    expect([Number(columns?.equal), Number(columns?.n) > 1_000]).toEqual([1, true]);
    expect(
      await scenario.pipeline.store.rows(
        `SELECT DISTINCT splitByChar(' ', kind)[2] AS tier
        FROM inferences FINAL
        ARRAY JOIN mapKeys(redaction_tiers) AS kind
        ORDER BY tier`,
      ),
    ).toEqual(expect.arrayContaining([{ tier: 'structured' }, { tier: 'names' }, { tier: 'secrets' }]));
    expect(await scenario.telemetry.metrics()).toMatch(
      new RegExp(
        `tripline_redactions_total\\{type="EMAIL",tier="structured",policy_version="${defaultPolicy.version}"`,
      ),
    );
    for (const key of keys.split(',').flatMap((line) => line.split(':')[1] ?? []))
      expect(readFileSync(scenario.logFile, 'utf8')).not.toContain(key);
  });

  describe('as people type it', () => {
    const values = join(home, 'values.txt');
    test('the audit is quiet about what is gone, and says where the rest is without saying what', async () => {
      writeFileSync(
        values,
        gold
          .filter(isSure)
          .map(({ value }) => JSON.stringify(value))
          .join('\n'),
      );
      expect(await tripline('redact', '--audit', '--values', values)).toMatchObject({
        code: 0,
        out: expect.stringContaining('values is there'),
      });
      writeFileSync(values, 'nobody@nowhere.example\nPlanted Person\n');
      const value = scenario.pipeline.codec.encode('redacted-outcome', planted);
      await scenario.pipeline.producer.send([{ topic: topicName(prefix, 'outcome.v1'), partition: 1, value }]);
      await until(
        'the planted row',
        async () =>
          (await scenario.pipeline.store.rows("SELECT 1 FROM outcomes WHERE outcome_id = 'planted'")).length > 0,
      );
      const { code, out } = await tripline('redact', '--audit', '--values', values);
      expect(code).toBe(1);
      expect(out).toMatch(new RegExp(`${database}\\.outcomes\\.attributes +base64 +1 +- +1 +2`));
      expect(out).toMatch(new RegExp(`${prefix}\\.outcome\\.v1/1 value +base64 +1 +\\d+\\.\\.\\d+ +1 +2`));
      expect(out).not.toContain('Planted');
    });
    test('a rebuild replaces rows, not facts', async () => {
      const policy = join(home, 'policy.json');
      writeFileSync(
        policy,
        JSON.stringify({ version: '2026-11-21', names: false, own: [{ type: 'STAFF_ID', pattern: 'EMP-\\d{6}' }] }),
      );
      const state = async () => ({
        entity: await scenario.pipeline.log.endOffsets(topicName(prefix, 'entity.v1')),
        folded: scenario.pipeline.statistics.latest('exp-test')?.eventsFolded,
        facts: await scenario.pipeline.store.rows('SELECT count() AS n FROM facts'),
        rows: await scenario.pipeline.store.rows(
          `SELECT
            count() AS n,
            uniqExact(event_id) AS ids,
            groupBitXor(cityHash64(event_id, user_id, trace_id, status)) AS same
          FROM inferences FINAL`,
        ),
      });
      await until(
        'every event folded',
        () => scenario.pipeline.statistics.latest('exp-test')?.eventsFolded === records.length,
      );
      const before = await state();
      for (const _round of ['once', 'and again']) {
        const { code, out } = await tripline('redact', '--rebuild', '--policy', policy);
        expect([code, out]).toEqual([
          0,
          expect.stringContaining(
            `${records.length + Math.ceil(records.length / 6)} clean rows written under policy 2026-11-21`,
          ),
        ]);
        const after = await state();
        expect(after).toEqual(before);
        expect(await scenario.pipeline.store.rows('SELECT DISTINCT policy_version FROM inferences')).toEqual([
          { policy_version: '2026-11-21' },
        ]);
      }
    });
  });
});

afterAll(async () => {
  await scenario?.close();
  rmSync(home, { recursive: true, force: true });
});
