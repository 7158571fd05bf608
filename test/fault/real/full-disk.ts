/**
 * Fault 9: the disk of the engine, or of the broker's log, is full, and later is not. A stack of its own whose one folder is a small memory disk, which takes
 * the right to mount; without it the trial says that it did not happen.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbedded } from '../../../infra/embedded/index.ts';
import { until } from '../../support/until.ts';
import { createWorld } from './world.ts';

const patienceMs = 150_000;
const freeBytes = (folder: string): number => {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
};

/** Fills the disk to the last block; what comes back makes room again. */
function fill(folder: string): () => void {
  const ballast = join(folder, 'ballast');
  const block = Buffer.alloc(4 << 20);
  for (let size = block.length; size >= 1_024; ) {
    try {
      writeFileSync(ballast, block.subarray(0, size), { flag: 'a' });
    } catch {
      size /= 2; // no room for so much: what does fit
    }
  }
  return () => rmSync(ballast, { force: true });
}

export async function withFullDisk(seed: number, part: 'store' | 'broker'): Promise<{ readonly wrong: readonly string[]; readonly note: string }> {
  const home = mkdtempSync(join(tmpdir(), 'tripline-full-'));
  const disk = join(home, part);
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=400m', 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    rmSync(home, { recursive: true, force: true });
    return { wrong: [], note: 'skipped: mounting a small disk needs the right to' };
  }
  const wrong: string[] = [];
  let note = '';
  const lines: string[] = [];
  const stack = await startEmbedded({ home, onLine: (line) => lines.push(line) });
  try {
    const { brokers, clickhouseUrl, registryUrl } = stack;
    const world = await createWorld({ brokers, clickhouseUrl, registryUrl, seed, home });
    try {
      await world.startStages();
      await world.send(0.3);
      await until('something to be folded', async () => (await world.folded()) > 0, patienceMs);
      const empty = fill(disk);
      try {
        // The sender, too, may have to wait for the broker to come back.
        const sending = world.send(0.7);
        await new Promise((resolve) => setTimeout(resolve, 4_000));
        note = `${Math.round(freeBytes(disk) / 1_000)} kB were left for 4 s`;
        empty();
        await until('every part to answer', async () => (await stack.status()).every(({ ready }) => ready), patienceMs);
        await sending;
      } finally {
        empty();
      }
      await world.send(1);
      await world.caughtUp();
      wrong.push(...(await world.verdict()));
    } catch (error) {
      wrong.push(`threw: ${error instanceof Error ? error.message : String(error)}`);
    }
    const left = await world.close();
    if (left.length > 0) wrong.push(`processes left: ${left.join(', ')}`);
  } finally {
    await stack.stop().catch(() => {});
    execFileSync('umount', ['-l', disk], { stdio: 'ignore' });
    rmSync(home, { recursive: true, force: true });
  }
  return { wrong, note: `${note}; ${lines.filter((line) => line.includes('ended unexpectedly')).length} restarts` };
}
