#!/usr/bin/env node
// Compiled code runs, always: a package ships it, a checkout compiles what changed first (infra/scripts/compile.mjs).
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1';
module.enableCompileCache?.(); // from Node.js 22.1
let problems = [];
if (existsSync(new URL('./main.ts', import.meta.url))) {
  const { refresh } = await import('../../infra/scripts/compile.mjs');
  problems = refresh(fileURLToPath(new URL('../..', import.meta.url)), { say: console.error });
}
if (problems.length === 0) await import('../../dist/services/cli/main.js');
else {
  for (const problem of problems) console.error(problem);
  process.exitCode = 1;
}
