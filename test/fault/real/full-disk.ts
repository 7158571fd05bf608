/**
 * Fault 9: the disk of the engine, or of the broker's log, is full, and later is not. A stack of its own whose one
 * folder is a small memory disk, which takes the right to mount; without it the trial says that it did not happen.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startEmbedded } from '../../../infra/embedded/index.ts';
import { allReady, type FaultResult, inDeployment, somethingFolded } from './in-deployment.ts';

const fullMs = 4_000;
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

export async function withFullDisk(seed: number, part: 'store' | 'broker'): Promise<FaultResult> {
  const home = mkdtempSync(join(tmpdir(), 'tripline-full-'));
  const disk = join(home, part);
  mkdirSync(disk);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=400m', 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    rmSync(home, { recursive: true, force: true });
    return { wrong: [], happened: {}, skipped: 'mounting a small disk needs the right to' };
  }
  const lines: string[] = [];
  try {
    const stack = await startEmbedded({ home, onLine: (line) => lines.push(line) });
    try {
      return await inDeployment({ stack, home, seed }, {}, async (deployment) => {
        await deployment.startStages();
        await deployment.send(0.3);
        await somethingFolded(deployment);
        const empty = fill(disk);
        const full = freeBytes(disk) < 4_096;
        // The sender, too, may have to wait for the broker to come back.
        const sending = deployment.send(0.7);
        await pause(fullMs);
        empty();
        await allReady(stack);
        await sending;
        await deployment.send(1);
        if (!full) throw new Error('the disk was not full');
        return {
          counts: { 'disks full': 1, restarts: lines.filter((line) => line.includes('ended unexpectedly')).length },
        };
      });
    } finally {
      await stack.stop().catch(() => {});
    }
  } finally {
    execFileSync('umount', ['-l', disk], { stdio: 'ignore' });
    rmSync(home, { recursive: true, force: true });
  }
}
