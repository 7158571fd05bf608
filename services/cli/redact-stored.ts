/** `redact --audit` and `redact --rebuild`: what is stored already, searched or made anew. */
import { readFileSync } from 'node:fs';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { createPseudonymizer, rebuildClean } from '../redactor/index.ts';
import { knownUnitKeys, redactionPolicy } from './addresses.ts';
import { type Audit, auditRedaction } from './audit-redaction.ts';
import { createNeedles, readValues } from './audit-redaction-needles.ts';
import { awaitGroup } from './caught-up.ts';
import { withConnection } from './read.ts';
import { print, printJson, table } from './terminal.ts';

type Flags = { readonly home: string; readonly policy?: string; readonly values?: string; readonly json?: boolean };

/** At most this many line numbers are listed for a place. */
const listed = 8;

export function reportAudit({ findings, searched }: Audit, lines: readonly number[]): string {
  const looked =
    `searched ${searched.rows} rows in ${searched.columns} columns, ${searched.records} records in ` +
    `${searched.topics} topics; logs of the engine: ${searched.systemLogs.join(', ') || 'none kept'}`;
  if (findings.length === 0) return `${looked}\nnone of the ${lines.length} values is there`;
  const numbers = (values: readonly number[]): string =>
    `${values
      .slice(0, listed)
      .map((value) => lines[value])
      .join(', ')}${values.length > listed ? `, and ${values.length - listed} more` : ''}`;
  return [
    table([
      ['where', 'form', 'hits', 'offsets', 'values', 'lines of the file'],
      ...findings.map(({ where, form, hits, offsets, values }) => [
        where,
        form,
        String(hits),
        offsets === undefined ? '-' : offsets.join('..'),
        String(values.length),
        numbers(values),
      ]),
    ]),
    looked,
    `${new Set(findings.flatMap(({ values }) => values)).size} of ${lines.length} values are still there`,
  ].join('\n');
}

export async function audit({ home, values: path, json }: Flags): Promise<number> {
  if (path === undefined)
    throw new PipelineError('CONFIG_INVALID', '--audit looks for values: it needs --values FILE', {
      hint: 'name a file with one value a line',
    });
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new PipelineError('INPUT_UNREADABLE', `${path} cannot be read`, {
      cause,
      hint: 'correct the path after --values',
    });
  }
  const { values, lines } = readValues(text);
  if (values.length === 0)
    throw new PipelineError('INPUT_UNREADABLE', `${path} holds no value`, { hint: 'write one value a line' });
  const needles = createNeedles(values);
  const { tooShort } = needles;
  if (tooShort.length > 0) {
    const which = tooShort.slice(0, listed).map((index) => lines[index]);
    const rest = tooShort.length > listed ? ', ...' : '';
    process.stderr.write(
      `not looked for, fewer than 4 letters and digits: ${tooShort.length} of ${values.length} ` +
        `(lines ${which.join(', ')}${rest})\n`,
    );
  }
  return withConnection(home, async (connection) => {
    const result = await auditRedaction({ ...connection, needles });
    if (json)
      printJson({
        ...result,
        findings: result.findings.map(({ values: indexes, ...finding }) => ({
          ...finding,
          lines: indexes.map((index) => lines[index]),
        })),
      });
    else print(reportAudit(result, lines));
    return result.findings.length === 0 ? 0 : 1;
  });
}

const perPolicy = (name: string): string =>
  `SELECT '${name}' AS rows_of, redactor_version, policy_version, count() AS n FROM ${name} FINAL ` +
  'GROUP BY redactor_version, policy_version ORDER BY n DESC';

export async function rebuild({ home, policy: path, json }: Flags): Promise<number> {
  const key = knownUnitKeys(home);
  const policy = redactionPolicy(path, home);
  return withConnection(home, async ({ log, codec, store, prefix }) => {
    const producer = await log.producer();
    try {
      await codec.register(
        (['redacted-inference', 'redacted-outcome'] as const).map((record) => ({
          record,
          topic: `${prefix}.${record === 'redacted-inference' ? 'inference.v1' : 'outcome.v1'}`,
        })),
      );
      const rebuilt = await rebuildClean({
        prefix,
        log,
        producer,
        codec,
        context: { policy, pseudonym: createPseudonymizer(key) },
      });
      // The sink writes the rows, as ever; when it is past the last of ours, the rows that they replace can go.
      await awaitGroup(log, `${prefix}-sink`, rebuilt.ends, 'sink', `${rebuilt.written} clean records are written`);
      for (const name of ['inferences', 'outcomes']) await store.command(`OPTIMIZE TABLE ${name} FINAL`);
      const versions = [
        ...(await store.rows<Record<string, string>>(perPolicy('inferences'))),
        ...(await store.rows<Record<string, string>>(perPolicy('outcomes'))),
      ];
      if (json)
        printJson({
          policy: policy.version,
          read: rebuilt.read,
          written: rebuilt.written,
          skipped: rebuilt.skipped,
          redactions: Object.fromEntries(rebuilt.redactions),
          rows: versions,
        });
      else {
        print(
          `${rebuilt.read} raw records read, ${rebuilt.written} clean rows written under policy ${policy.version}, ` +
            `${rebuilt.skipped} without an analytics row (exposures, parked, erased)`,
        );
        print(
          table([
            ['rows of', 'redactor', 'policy', 'rows'],
            ...versions.map((row) => [
              row['rows_of'] ?? '',
              row['redactor_version'] ?? '',
              row['policy_version'] ?? '',
              row['n'] ?? '',
            ]),
          ]),
        );
      }
      return 0;
    } finally {
      await producer.close();
    }
  });
}
