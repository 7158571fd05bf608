/** Where the parts are: what the environment says, else the embedded stack that runs in a home folder. */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { RedactionPolicy } from '../redaction/index.ts';
import { type Addresses, deploymentTokens } from '../replay/whole-path.ts';
import { readRedactionPolicy, redactionSettings } from '../runtime/redaction-settings.ts';

export type Surroundings = Addresses & { readonly prefix: string; readonly database: string };

const environment = redactionSettings.extend({
  KAFKA_BROKERS: z.string().optional(),
  CLICKHOUSE_URL: z.url().optional(),
  CLICKHOUSE_USER: z.string().optional(),
  CLICKHOUSE_PASSWORD: z.string().optional(),
  SCHEMA_REGISTRY_URL: z.url().optional(),
  TRIPLINE_TOPIC_PREFIX: z.string().regex(/^[a-z0-9._-]{1,64}$/).default('tripline'),
  TRIPLINE_DATABASE: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/).default('tripline'),
  TRIPLINE_PSEUDONYM_KEY: z.string().regex(/^[0-9a-f]{32,128}$/).optional(), // hex; who has it can recompute pseudonyms
});

function readEnvironment(): z.infer<typeof environment> {
  const parsed = environment.safeParse(process.env);
  if (parsed.success) return parsed.data;
  throw new PipelineError('CONFIG_INVALID', parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`).join('; '), { cure: 'correct the environment variables named' });
}

export const stackFile = (home: string): string => join(home, 'stack.json');
export const defaultHome = (): string => resolve('.tripline');

const stack = z.object({ brokers: z.string(), clickhouseUrl: z.string(), registryUrl: z.string(), prefix: z.string(), database: z.string(), pid: z.number(), startedAt: z.number(), probeUrl: z.string().optional() });
export type StackState = z.infer<typeof stack>;

export function readStack(home: string): StackState | undefined {
  if (!existsSync(stackFile(home))) return undefined;
  const parsed = stack.safeParse(JSON.parse(readFileSync(stackFile(home), 'utf8')));
  return parsed.success ? parsed.data : undefined;
}

/** All three addresses from the environment; undefined when it names none; an error when it names some. */
export function externalAddresses(): Addresses | undefined {
  const env = readEnvironment();
  const named = [env.KAFKA_BROKERS, env.CLICKHOUSE_URL, env.SCHEMA_REGISTRY_URL];
  if (named.every((value) => value === undefined)) return undefined;
  if (env.KAFKA_BROKERS === undefined || env.CLICKHOUSE_URL === undefined || env.SCHEMA_REGISTRY_URL === undefined) {
    throw new PipelineError('CONFIG_INVALID', 'KAFKA_BROKERS, CLICKHOUSE_URL and SCHEMA_REGISTRY_URL come together', { cure: 'set all three, or none to use the embedded stack' });
  }
  return { brokers: env.KAFKA_BROKERS, clickhouseUrl: env.CLICKHOUSE_URL, registryUrl: env.SCHEMA_REGISTRY_URL, ...(env.CLICKHOUSE_USER !== undefined && { user: env.CLICKHOUSE_USER }), ...(env.CLICKHOUSE_PASSWORD !== undefined && { password: env.CLICKHOUSE_PASSWORD }) };
}

export function surroundings(home: string): Surroundings {
  const env = readEnvironment();
  const external = externalAddresses();
  if (external) return { ...external, prefix: env.TRIPLINE_TOPIC_PREFIX, database: env.TRIPLINE_DATABASE };
  const running = readStack(home);
  if (running === undefined) {
    throw new PipelineError('STACK_NOT_RUNNING', `no embedded stack runs in ${home}`, { cure: 'start one with `npx tripline up`, name another folder with --home, or set KAFKA_BROKERS, CLICKHOUSE_URL and SCHEMA_REGISTRY_URL' });
  }
  return running;
}

/** The policy that the environment names, `path` before it; with the deployment's token keys when a home is given and the environment names none. */
export function redactionPolicy(path?: string, home?: string): RedactionPolicy {
  const env = readEnvironment();
  return readRedactionPolicy({ ...env, ...(path !== undefined && { TRIPLINE_REDACTION_POLICY: path }) }, home === undefined ? undefined : deploymentTokens(pseudonymKey(home)));
}

/** The key behind pseudonyms: from the environment, else made once for the home folder and readable by its owner only. */
export function pseudonymKey(home: string): Uint8Array {
  const given = readEnvironment().TRIPLINE_PSEUDONYM_KEY;
  if (given !== undefined) return Buffer.from(given, 'hex');
  const file = pseudonymKeyFile(home);
  if (!existsSync(file)) {
    mkdirSync(home, { recursive: true });
    writeFileSync(file, randomBytes(32).toString('hex'), { mode: 0o600 });
  }
  return Buffer.from(readFileSync(file, 'utf8').trim(), 'hex');
}
const pseudonymKeyFile = (home: string): string => join(home, 'pseudonym.key');

/** The key that exists already: what was pseudonymised before can only be met again under it. */
export function knownPseudonymKey(home: string): Uint8Array {
  if (readEnvironment().TRIPLINE_PSEUDONYM_KEY === undefined && !existsSync(pseudonymKeyFile(home))) {
    throw new PipelineError('CONFIG_INVALID', `no pseudonym key: neither TRIPLINE_PSEUDONYM_KEY nor ${pseudonymKeyFile(home)}`, { cure: 'use the key that the redactor ran with; under another one every id would be another' });
  }
  return pseudonymKey(home);
}
