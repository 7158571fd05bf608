/**
 * Every setting with its default, its value and where the value came from. Secrets are masked: only whether one is set
 * shows.
 */
import { z } from 'zod';
import {
  addressSettings,
  type Environment,
  namesSettings,
  processSettings,
  stageNames,
  stageSettings,
  topicSettings,
} from './config.ts';

export type SettingRow = {
  /** A stage, or what the setting belongs to. */
  readonly of: string;
  readonly name: string;
  readonly default: string | undefined;
  /** Undefined: not set, and there is no default. */
  readonly value: string | undefined;
  readonly source: 'default' | 'environment' | 'stack file' | 'not set';
  readonly problem?: string;
};

const secrets: ReadonlySet<string> = new Set(['CLICKHOUSE_PASSWORD', 'TRIPLINE_PSEUDONYM_KEY', 'TRIPLINE_TOKEN_KEYS']);
const mask = '********';

/** A URL keeps its host and loses its credentials. */
const shown = (name: string, value: string): string =>
  secrets.has(name) ? mask : value.replace(/(\/\/)[^/@\s]*@/g, `$1${mask}@`);

const groups: readonly (readonly [string, z.ZodObject])[] = [
  ['addresses', addressSettings],
  ['names', namesSettings],
  ['topics', topicSettings],
  ['process', processSettings],
  ...stageNames.map((stage) => [stage, stageSettings[stage]] as const),
];

const defaultOf = (schema: z.core.$ZodType): string | undefined => {
  const parsed = z.safeParse(schema, undefined);
  return parsed.success && parsed.data !== undefined ? String(parsed.data) : undefined;
};

/** `stackFile`: what a running stack in the home folder says, by the names of settings. */
export function listSettings(env: Environment, stackFile: Environment = {}): readonly SettingRow[] {
  return groups.flatMap(([of, schema]) =>
    Object.entries(schema.shape).map(([name, field]): SettingRow => {
      const byDefault = defaultOf(field);
      const common = { of, name, default: byDefault };
      const given = env[name];
      if (given !== undefined && given !== '') {
        const parsed = z.safeParse(field, given);
        const problem = parsed.success ? undefined : parsed.error.issues.map(({ message }) => message).join('; ');
        return {
          ...common,
          value: shown(name, given),
          source: 'environment',
          ...(problem !== undefined && { problem }),
        };
      }
      const found = stackFile[name];
      if (found !== undefined) return { ...common, value: shown(name, found), source: 'stack file' };
      return { ...common, value: byDefault, source: byDefault === undefined ? 'not set' : 'default' };
    }),
  );
}
