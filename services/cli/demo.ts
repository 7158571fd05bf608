/** `demo`: the story, told while it happens. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { startEmbedded } from '../../infra/embedded/index.ts';
import { type DemoEvent, type DemoResult, runDemo } from '../demo/run-demo.ts';
import { storyOnset } from '../demo/story.ts';
import type { Evaluation } from '../kernel/evaluation.ts';
import { onSignals } from '../runtime/lifecycle.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { policyUnder } from './addresses.ts';
import { type StackState, stackFile } from './stack-file.ts';
import { paint, print } from './terminal.ts';

export type DemoFlags = {
  readonly json?: string;
  readonly keep?: boolean;
  readonly seed: string;
  readonly policy?: string;
  readonly home?: string;
};

const weekday = new Intl.DateTimeFormat('en-GB', { weekday: 'short', timeZone: 'UTC' });
const storyTime = (at: number): string => `${weekday.format(at)} ${new Date(at).toISOString().slice(11, 16)}`;

/** The metric nearest its bound, with what each arm shows. */
function drifting(evaluation: Evaluation | undefined): string {
  const metric = [...(evaluation?.metrics ?? [])]
    .filter(({ harm }) => harm)
    .sort((a, b) => (b.harm?.weightedLogE ?? 0) - (a.harm?.weightedLogE ?? 0))[0];
  if (evaluation === undefined || metric?.harm === undefined) return 'collecting';
  const bound = Math.log(1 / evaluation.experiment.spec.analysis.alphaHarm);
  const arms = metric.arms
    .map(
      ({ arm, estimate }) =>
        `${arm} ${estimate === undefined ? '-' : estimate > 1_000 ? Math.round(estimate) : estimate.toFixed(3)}`,
    )
    .join(' vs ');
  return `${metric.metric} ${metric.harm.weightedLogE.toFixed(1).padStart(5)} of ${bound.toFixed(1)} (${arms})`;
}

function tell(event: DemoEvent): void {
  switch (event.kind) {
    case 'progress': {
      const units = Object.entries(event.evaluation?.srm.counts ?? {})
        .map(([arm, number]) => `${arm} ${number}`)
        .join(', ');
      const speed = `${String(Math.round(event.perSecond)).padStart(4)} calls/s`;
      return print(
        `${paint.dim(storyTime(event.storyNow))}  ${speed}  units ${units || '-'}  ${drifting(event.evaluation)}`,
      );
    }
    case 'decision': {
      const { action, metric, reasonCode, testStart, watermark } = event.decision;
      const from = testStart === undefined ? '' : `, counted from ${testStart}`;
      const decidedAt = watermark === undefined ? '?' : storyTime(watermark);
      return print(
        `${paint.bold(paint.red(action.toUpperCase()))}  ${metric ?? reasonCode}${from}; ` +
          `prompt changed ${storyTime(storyOnset)}, decided at ${decidedAt}`,
      );
    }
    case 'ack':
      return print(`  bot       obeyed: coverage ${event.coverage}%, ${event.afterMs} ms after the decision`);
    case 'switched':
      return print(
        `  desk ${event.app}    switched every customer back to control ${event.afterMs} ms after the decision`,
      );
    default:
      return event satisfies never;
  }
}

function finish(result: DemoResult, home: string, keep: boolean): void {
  const { demo } = result;
  const replaced = Object.entries(demo.replaced);
  print();
  print(
    [
      `${demo.ok ? paint.green('PASS') : paint.red('FAIL')}  ` +
        `${result.events.folded} calls folded once each of ${result.events.read} delivered`,
      `totals equal a plain recount: ${demo.problems.length === 0 ? 'yes' : 'no'}`,
      `SQL recount: ${result.recount}`,
    ].join('; '),
  );
  for (const problem of demo.problems) print(`  ${problem}`);
  if (demo.decision_to_last_candidate_ms !== null)
    print(
      `  last call given to the candidate: ${demo.decision_to_last_candidate_ms} ms after the decision; ` +
        `kept from it afterwards: ${demo.kept_from_candidate} calls`,
    );
  const sum = replaced.reduce((all, [, number]) => all + number, 0);
  const byType = replaced.map(([type, number]) => `${type} ${number}`).join(', ');
  print(`  personal data and secrets replaced: ${sum} (${byType}); planted: ${demo.planted}`);
  const id = result.decisions.find(({ action }) => action === 'rollback')?.decision_id ?? 'ID';
  const where = keep ? ` --home ${home}` : ' --home HOME';
  print(
    keep
      ? '\nStill running; Ctrl-C stops it. In another terminal:'
      : '\nTo look further, keep it running: npm run demo -- --keep, then',
  );
  const statement =
    'SELECT variants[1] AS arm, prompt_version, count(), avg(cost_nano_usd) FROM inferences GROUP BY ALL';
  print(`  npx tripline sql "${statement}"${where}`);
  for (const verb of ['explain', 'verify']) print(`  npx tripline ${verb} ${keep ? id : 'ID'}${where}`);
}

export async function demoVerb(flags: DemoFlags): Promise<number> {
  const pseudonymKey = randomBytes(32);
  const redaction = policyUnder(pseudonymKey, flags.policy); // what is wrong with it is said before anything starts
  const home = flags.home === undefined ? mkdtempSync(join(tmpdir(), 'tripline-demo-')) : resolve(flags.home);
  print(
    'Tripline demo: a support desk tries a candidate on 20% of its customers. ' +
      "On Tuesday at 10:00 the candidate's prompt changes and nobody says so.",
  );
  const interrupted = onSignals();
  const starting = startEmbedded({ home, onLine: (line) => print(`  ${line}`) });
  const stack = await Promise.race([starting, interrupted.then(() => undefined)]);
  if (stack === undefined) {
    await starting.then(
      (late) => late.stop(),
      () => {},
    );
    if (flags.home === undefined) rmSync(home, { recursive: true, force: true });
    return 130;
  }
  const names = { prefix: 'tripline', database: 'tripline' };
  try {
    const running = runDemo({
      ...stack,
      ...names,
      home,
      seed: Number(flags.seed),
      clock: systemClock,
      pseudonymKey,
      redaction,
      onEvent: tell,
      interrupted,
      ...(flags.keep && { keep: interrupted }),
      onFinished: (result) => {
        if (flags.json !== undefined) writeFileSync(flags.json, `${JSON.stringify(result, null, 2)}\n`);
        const state: StackState = {
          brokers: stack.brokers,
          clickhouseUrl: stack.clickhouseUrl,
          registryUrl: stack.registryUrl,
          ...names,
          pid: process.pid,
          startedAt: systemClock.now(),
        };
        if (flags.keep) writeFileSync(stackFile(home), JSON.stringify(state));
        finish(result, home, flags.keep === true);
      },
    });
    // Interrupted, it ends its processes first; what hangs is given ten seconds.
    const given = interrupted.then(() =>
      Promise.race([running.catch(() => undefined), wait(10_000, undefined, { ref: false })]).then(() => undefined),
    );
    const result = flags.keep ? await running : await Promise.race([running, given]);
    return result === undefined ? 130 : result.demo.ok ? 0 : 1;
  } finally {
    await stack.stop();
    rmSync(stackFile(home), { force: true });
    if (flags.home === undefined) rmSync(home, { recursive: true, force: true });
  }
}
