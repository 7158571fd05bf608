/**
 * `replay`: an experiment's files through the pipeline, against the embedded stack that it starts itself or the one
 * the environment names.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbedded } from '../../infra/embedded/index.ts';
import type { Evaluation } from '../kernel/evaluation.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { replay, type ReplaySummary, tellOddLine } from '../replay/index.ts';
import { onSignals } from '../runtime/lifecycle.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { externalAddresses, givenAddresses, policyUnder } from './addresses.ts';
import { readResolvedExperiment } from './read-file.ts';
import { paint, print, printJson } from './terminal.ts';

export type ReplayFlags = {
  readonly experiment: string;
  readonly events: string;
  readonly outcomes?: string;
  readonly observe?: boolean;
  readonly speed: string;
  readonly policy?: string;
  readonly lookEvery?: string;
  readonly partitions: string;
  readonly json?: string;
};

function speedOf(text: string): number {
  if (text === 'max') return Number.POSITIVE_INFINITY;
  const match = /^(\d+(?:\.\d+)?)x?$/.exec(text);
  if (match === null || Number(match[1]) <= 0)
    throw new PipelineError('CONFIG_INVALID', `--speed ${text}`, {
      hint: "give max, or times the lines' own clock like 300x",
    });
  return Number(match[1]);
}

/** The metric nearest its bound, as one text; none before anything was tested. */
function strongestOf(evaluation: Evaluation | undefined): string[] {
  const [strongest] = [...(evaluation?.metrics ?? [])]
    .filter(({ harm }) => harm)
    .sort((a, b) => (b.harm?.weightedLogE ?? 0) - (a.harm?.weightedLogE ?? 0));
  if (evaluation === undefined || strongest?.harm === undefined) return [];
  const bound = Math.log(1 / evaluation.experiment.spec.analysis.alphaHarm);
  return [`${strongest.metric} ${strongest.harm.weightedLogE.toFixed(2)} of ${bound.toFixed(2)}`];
}

/** Lines named in the terminal; the summary names more, the parked topic all. */
const linesTold = 5;

function tellUnused({ lines, causes, first }: ReplaySummary['unused'], read: number): void {
  print(paint.bold(`not used, and parked: ${lines} of ${read} lines`));
  for (const line of first.slice(0, linesTold)) print(`  ${tellOddLine(line)}`);
  if (lines <= linesTold) return;
  const byCause = Object.entries(causes).sort(([, one], [, other]) => other - one);
  print(
    `  ... ${byCause
      .slice(0, linesTold)
      .map(([cause, number]) => `${number} x ${cause}`)
      .join('; ')}`,
  );
}

export async function replayVerb(flags: ReplayFlags): Promise<number> {
  const { spec, sha } = readResolvedExperiment(flags.experiment);
  const partitions = Number(flags.partitions);
  const lookEvery = Number(flags.lookEvery ?? 0);
  if (!Number.isInteger(partitions) || partitions < 1 || partitions > 512)
    throw new PipelineError('CONFIG_INVALID', '--partitions is a whole number from 1 to 512');
  if (!Number.isInteger(lookEvery) || lookEvery < 0)
    throw new PipelineError('CONFIG_INVALID', '--look-every is a whole number of lines');
  const speed = speedOf(flags.speed);
  const pseudonymKey = randomBytes(32);
  const redaction = policyUnder(pseudonymKey, flags.policy);
  const external = externalAddresses();
  const home = external ? undefined : mkdtempSync(join(tmpdir(), 'tripline-replay-'));
  const stack = home === undefined ? undefined : await startEmbedded({ home, given: givenAddresses(), onLine: print });
  const addresses = external ?? (stack && { ...givenAddresses(), ...stack });
  if (addresses === undefined) return 2;
  try {
    let told = 0;
    const running = replay({
      ...addresses,
      run: randomBytes(4).toString('hex'),
      spec,
      configSha: sha,
      eventsFile: flags.events,
      ...(flags.outcomes !== undefined && { outcomesFile: flags.outcomes }),
      partitions,
      observe: flags.observe === true,
      lookEvery,
      speed,
      pseudonymKey,
      redaction,
      clock: systemClock,
      onProgress: ({ sent, lines, at, evaluation }) => {
        if (systemClock.now() - told < 1_000 && sent < lines) return;
        told = systemClock.now();
        const arms = Object.entries(evaluation?.srm.counts ?? {}).map(([arm, units]) => `${arm} ${units}`);
        const time = paint.dim(new Date(at).toISOString().slice(0, 16));
        print([time, `${sent}/${lines} lines`, arms.join('  '), ...strongestOf(evaluation)].join('  '));
      },
      onUnused: tellUnused,
      onDecision: ({ action, metric, reasonCode, testStart, eventsFolded }) => {
        const from = testStart === undefined ? '' : `, counted from ${testStart}`;
        print(`${paint.bold(action)} ${metric ?? reasonCode}${from}, after ${eventsFolded} events`);
      },
    });
    const summary = await Promise.race([running, onSignals().then(() => undefined)]);
    if (summary === undefined) return 130;
    if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(summary, null, 2)}\n`);
    else printJson(summary);
    return summary.recount === 'equal' && summary.events.folded === summary.events.unique ? 0 : 1;
  } finally {
    await stack?.stop();
    if (home !== undefined) rmSync(home, { recursive: true, force: true });
  }
}
