#!/usr/bin/env node
// In a checkout the sources run as they are (through tsx); in a package the compiled ones do.
import { existsSync } from 'node:fs';

process.env.KAFKAJS_NO_PARTITIONER_WARNING = '1';
if (existsSync(new URL('./main.ts', import.meta.url))) {
  const { register } = await import('tsx/esm/api');
  register();
  await import('./main.ts');
} else await import('../../dist/services/cli/main.js');
