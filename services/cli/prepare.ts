/**
 * `prepare`: topics, schemas and tables on a broker, a store and a registry that are there. It says first what it would
 * change.
 */
import { createInterface } from 'node:readline/promises';
import { readSettings } from '../pipeline/config.ts';
import { connect, requireAddresses } from '../pipeline/connect.ts';
import { applyPrepare, planPrepare, type PreparePlan, topicWishes } from '../pipeline/prepare.ts';
import { formatFinding } from '../pipeline/topic-check.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { paint, print } from './terminal.ts';

export type PrepareFlags = { readonly yes?: boolean; readonly dryRun?: boolean };

const configOf = (config: Readonly<Record<string, string>>): string =>
  Object.entries(config)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');

/** What would be changed, and what a person has to see to. */
function planLines({ topics, migrations, keep }: PreparePlan): {
  readonly changes: string[];
  readonly others: string[];
} {
  const created = topics.create.map(({ topic, partitions, replicationFactor, config }) => {
    const copies = replicationFactor === undefined ? "the broker's default" : String(replicationFactor);
    return `create topic ${topic}: partitions=${partitions} replication=${copies} ${configOf(config)}`;
  });
  const altered = topics.findings.filter(({ change }) => change !== undefined);
  return {
    changes: [
      ...created,
      ...altered.map((finding) => `change ${formatFinding(finding)}`),
      ...migrations.map((name) => `apply migration ${name}`),
      ...keep,
    ],
    others: topics.findings.filter(({ change }) => change === undefined).map(formatFinding),
  };
}

async function agreed(count: number): Promise<boolean> {
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    return /^y(es)?$/i.test((await terminal.question(`Make these ${count} changes? [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}

/** 0 when everything is as it should be afterwards; 1 when a change was not agreed to, or one is left to a person. */
export async function prepareVerb(flags: PrepareFlags): Promise<number> {
  const settings = readSettings(process.env, []);
  const options = { ...requireAddresses(settings), ...topicWishes(settings) };
  const connection = await connect({
    ...options,
    database: settings.TRIPLINE_DATABASE,
    clock: systemClock,
    clientId: 'tripline-prepare',
  });
  try {
    const plan = await planPrepare(options, connection);
    const { changes, others } = planLines(plan);
    for (const line of changes) print(`  ${line}`);
    for (const line of others) print(`  ${paint.yellow('see to')} ${line}`);
    const left = plan.topics.findings.some(({ change, severity }) => change === undefined && severity === 'refuse');
    if (changes.length === 0) {
      // Schemas are registered all the same: the registry may be a new one.
      if (flags.dryRun !== true) await applyPrepare(options, plan, connection);
      print(left ? 'nothing that `prepare` could change' : 'everything is there');
      return left ? 1 : 0;
    }
    if (flags.dryRun === true) {
      print('nothing was changed (--dry-run)');
      return 0;
    }
    if (flags.yes !== true && process.stdin.isTTY !== true) {
      print('nothing was changed: without a terminal to ask, --yes makes these changes');
      return 1;
    }
    if (flags.yes !== true && !(await agreed(changes.length))) {
      print('nothing was changed');
      return 1;
    }
    await applyPrepare(options, plan, connection);
    print(`done: ${changes.length} changes in ${options.prefix} and ${settings.TRIPLINE_DATABASE}`);
    return left ? 1 : 0;
  } finally {
    await connection.close();
  }
}
