import { mkdtempSync, rmSync } from 'node:fs';
import { startEmbedded } from '/work/exactness/infra/embedded/index.ts';
import { benchJoiner } from '/work/exactness/test/bench/joiner.bench.ts';
const home = mkdtempSync('/tmp/jb-');
const stack = await startEmbedded({ home });
try { console.table(await benchJoiner(stack, process.argv[2] ?? '')); } finally { await stack.stop(); rmSync(home, { recursive: true, force: true }); }
process.exit(0);
