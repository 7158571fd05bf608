/** Where the parts are: what the environment says, else the embedded stack that runs in a home folder. */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { RedactionPolicy, TokenKeys } from '../redaction/index.ts';
import { commonUnitKeys, formatUnitKeys, parseUnitKeys, type UnitKeys } from '../redactor/unit-keys.ts';
import type { Addresses } from '../pipeline/connect.ts';
import { deploymentTokens } from '../pipeline/deployment-tokens.ts';
import { readSettings } from '../pipeline/config.ts';
import { readRedactionPolicy } from '../runtime/redaction-settings.ts';
import { readStack } from './stack-file.ts';

export type Surroundings = Addresses & { readonly prefix: string; readonly database: string };

/** The settings that any verb reads: addresses, names, and what a redactor needs. */
const readEnvironment = () => readSettings(process.env, ['redactor']);

/** The addresses that the environment gives, and the credentials that go with them. */
export function givenAddresses(): Partial<Addresses> {
  const env = readEnvironment();
  return {
    ...(env.KAFKA_BROKERS !== undefined && { brokers: env.KAFKA_BROKERS }),
    ...(env.CLICKHOUSE_URL !== undefined && { clickhouseUrl: env.CLICKHOUSE_URL }),
    ...(env.SCHEMA_REGISTRY_URL !== undefined && { registryUrl: env.SCHEMA_REGISTRY_URL }),
    ...(env.CLICKHOUSE_USER !== undefined && { user: env.CLICKHOUSE_USER }),
    ...(env.CLICKHOUSE_PASSWORD !== undefined && { password: env.CLICKHOUSE_PASSWORD }),
    ...(env.CLICKHOUSE_CLUSTER !== undefined && { cluster: env.CLICKHOUSE_CLUSTER }),
  };
}

export const givenNames = (): { readonly prefix: string; readonly database: string } => {
  const env = readEnvironment();
  return { prefix: env.TRIPLINE_TOPIC_PREFIX, database: env.TRIPLINE_DATABASE };
};

/** All three addresses from the environment; undefined when it does not name all of them. */
export function externalAddresses(): Addresses | undefined {
  const { brokers, clickhouseUrl, registryUrl, ...credentials } = givenAddresses();
  if (brokers === undefined || clickhouseUrl === undefined || registryUrl === undefined) return undefined;
  return { brokers, clickhouseUrl, registryUrl, ...credentials };
}

/** What the environment gives, and the stack that runs in the home folder for the rest. */
export function surroundings(home: string): Surroundings {
  const external = externalAddresses();
  if (external) return { ...external, ...givenNames() };
  const running = readStack(home);
  if (running === undefined) {
    throw new PipelineError('STACK_NOT_RUNNING', `no embedded stack runs in ${home}`, {
      hint:
        'start one with `npx tripline up`, name another folder with --home, or set KAFKA_BROKERS, CLICKHOUSE_URL ' +
        'and SCHEMA_REGISTRY_URL',
    });
  }
  return { ...running, ...givenAddresses() };
}

/**
 * The policy that the environment names, `path` before it; with the deployment's token keys when a home is given and
 * the environment names none.
 */
export function redactionPolicy(path?: string, home?: string): RedactionPolicy {
  return policyOf(path, home === undefined ? undefined : deploymentTokens(unitKeys(home)));
}
/** The same for a run with a key of its own, which ends with it. */
export const policyUnder = (pseudonymKey: Uint8Array, path?: string): RedactionPolicy =>
  policyOf(path, deploymentTokens(pseudonymKey));
const policyOf = (path: string | undefined, tokens: TokenKeys | undefined): RedactionPolicy =>
  readRedactionPolicy({ ...readEnvironment(), ...(path !== undefined && { TRIPLINE_REDACTION_POLICY: path }) }, tokens);

/**
 * The keys behind pseudonyms: from the environment, else made once for the home folder and readable by its owner only.
 */
export function unitKeys(home: string): UnitKeys {
  const file = unitKeysFile(home);
  const given = readEnvironment().TRIPLINE_PSEUDONYM_KEY;
  if (given === undefined && !existsSync(file)) {
    mkdirSync(home, { recursive: true });
    writeFileSync(file, randomBytes(32).toString('hex'), { mode: 0o600 });
  }
  const keys = parseUnitKeys(given ?? readFileSync(file, 'utf8'));
  if (keys === undefined)
    throw new PipelineError(
      'CONFIG_INVALID',
      `${given === undefined ? file : 'TRIPLINE_PSEUDONYM_KEY'} holds no pseudonym key`,
      {
        hint:
          'put back what was there: one line of hex, or the lines that an erasure wrote; ' +
          'under another key every id is another',
      },
    );
  return keys;
}
const unitKeysFile = (home: string): string => join(home, 'pseudonym.key');

/** True when keys can be dropped for good: those in the environment come back with the next start. */
export const keepsUnitKeys = (): boolean => readEnvironment().TRIPLINE_PSEUDONYM_KEY === undefined;

/**
 * What is left of the keys takes the place of what was there, whole or not at all, and brings nothing back that
 * somebody else has dropped; undefined where the environment holds the key.
 */
export function unitKeysKeeper(home: string): ((keys: UnitKeys) => void) | undefined {
  if (!keepsUnitKeys()) return undefined;
  const file = unitKeysFile(home);
  return (keys) => {
    const next = `${file}.next`;
    try {
      const out = openSync(next, 'w', 0o600);
      chmodSync(next, 0o600);
      const there = existsSync(file) ? parseUnitKeys(readFileSync(file, 'utf8')) : undefined;
      writeSync(out, formatUnitKeys(there ? commonUnitKeys(keys, there) : keys));
      fsyncSync(out);
      closeSync(out);
      renameSync(next, file);
    } catch (cause) {
      throw new PipelineError(
        'STORE_UNAVAILABLE',
        `the keys that are left after an erasure cannot be written to ${file}`,
        { retriable: true, cause, hint: 'let this process write there, and leave it some space: it tries again' },
      );
    }
  };
}

/** Keys that exist already: what was pseudonymised before can only be met again under them. */
export function knownUnitKeys(home: string): UnitKeys {
  if (readEnvironment().TRIPLINE_PSEUDONYM_KEY === undefined && !existsSync(unitKeysFile(home))) {
    throw new PipelineError(
      'CONFIG_INVALID',
      `no pseudonym key: neither TRIPLINE_PSEUDONYM_KEY nor ${unitKeysFile(home)}`,
      { hint: 'use the key that the redactor ran with; under another one every id would be another' },
    );
  }
  return unitKeys(home);
}
