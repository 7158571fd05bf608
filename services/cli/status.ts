/** `status`: what runs in a home folder, and what it waits for. */
import { isAlive } from '../../infra/embedded/child.ts';
import type { StageStatus } from '../pipeline/status.ts';
import { readStack } from './stack-file.ts';
import { checkParts } from './check-parts.ts';
import { paint, print, printJson, table } from './terminal.ts';

/** What a stage waits for, and when it is tried again. */
function waits({ state, waitingFor, restarts, nextTryAt }: StageStatus): string {
  const again = nextTryAt === null ? '' : `, next try ${nextTryAt.slice(11, 19)}`;
  const before = restarts === 0 ? '' : `started again ${restarts}x${again}; `;
  return `${before}${waitingFor ?? (state === 'standby' ? 'stands by' : '-')}`;
}

const row = (stage: StageStatus): readonly string[] => [
  stage.name,
  stage.state,
  String(stage.in),
  String(stage.forwarded),
  JSON.stringify(stage.dropped),
  JSON.stringify(stage.parked),
  String(stage.waiting),
  waits(stage),
];

/** A line for each service whose events have come: how far its clock is from the broker's. */
export const clockRows = (stages: readonly StageStatus[]): (readonly string[])[] =>
  stages.flatMap(({ clocks = {} }) =>
    Object.entries(clocks).map(([service, { skewMs, clamped }]) => [service, tellSkew(skewMs), String(clamped)]),
  );

function tellSkew(skewMs: number | null): string {
  if (skewMs === null) return 'not said';
  const seconds = (Math.abs(skewMs) / 1000).toFixed(1);
  return `${seconds} s ${skewMs >= 0 ? 'ahead' : 'behind'}`;
}

export async function status(home: string, json: boolean): Promise<number> {
  const running = readStack(home);
  if (running === undefined || !isAlive(running.pid)) {
    if (json) printJson({ running: false, home });
    else print(`nothing runs in ${home}; \`npx tripline up\` starts it`);
    return 2;
  }
  const checks = await checkParts(running);
  const stages = running.probeUrl
    ? ((await (await fetch(`${running.probeUrl}/status`)).json()) as readonly StageStatus[])
    : [];
  const unwell = ({ state, waitingFor }: StageStatus): boolean => waitingFor !== null || state === 'pausing';
  const degraded = checks.some(({ ok }) => !ok) || stages.some(unwell);
  if (json) printJson({ running: true, home, degraded, parts: checks, stages });
  else {
    print(table(checks.map(({ name, ok, detail }) => [name, ok ? paint.green('ready') : paint.red('down'), detail])));
    const head = ['stage', 'state', 'in', 'forwarded', 'dropped', 'parked', 'waiting', 'waiting for'];
    print(table([head, ...stages.map(row)]));
    const clocks = clockRows(stages);
    if (clocks.length > 0) print(table([['service', 'clock', 'times in the future'], ...clocks]));
  }
  return degraded ? 2 : 0;
}
