/** An app of a few lines in a process of its own: what only shows when a process should end, or where it is. */
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

export type AppEnd = { readonly said: string; readonly problems: string; readonly code: number | null };

/** Compiled code starts in a tenth of the time that the sources take: once, before the first app. */
export function compileForApps(): void {
  const { status, stderr } = spawnSync(process.execPath, ['infra/scripts/compile.mjs'], {
    cwd: root,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
}

/**
 * `code`: a module that imports compiled code by the package's name, run in the project's folder. Null as the end: it
 * had to be killed.
 */
export function runApp(
  code: string,
  env: Readonly<Record<string, string>> = {},
  { limitMs = 60_000 } = {},
): Promise<AppEnd> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: limitMs,
    killSignal: 'SIGKILL',
  });
  let [said, problems] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => {
    said += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    problems += chunk.toString();
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ said: said.trim(), problems, code }));
  });
}
