/** `config`: every setting of every stage, and where its value came from. */
import { isAlive } from '../../infra/embedded/child.ts';
import { listSettings } from '../pipeline/list-settings.ts';
import type { Environment } from '../pipeline/config.ts';
import { readStack } from './stack-file.ts';
import { paint, print, printJson, table } from './terminal.ts';

function ofStack(home: string): Environment {
  const running = readStack(home);
  if (running === undefined || !isAlive(running.pid)) return {};
  return {
    KAFKA_BROKERS: running.brokers,
    CLICKHOUSE_URL: running.clickhouseUrl,
    SCHEMA_REGISTRY_URL: running.registryUrl,
    TRIPLINE_TOPIC_PREFIX: running.prefix,
    TRIPLINE_DATABASE: running.database,
  };
}

/** 1 when a value that the environment gives cannot be used. */
export function config(home: string, json: boolean): number {
  const rows = listSettings(process.env, ofStack(home));
  if (json) printJson(rows);
  else
    print(
      table([
        ['of', 'setting', 'value', 'from', 'default'],
        ...rows.map((row) => [
          row.of,
          row.name,
          row.problem === undefined ? (row.value ?? '-') : paint.red(`${row.value}: ${row.problem}`),
          row.source,
          row.default ?? '-',
        ]),
      ]),
    );
  return rows.some(({ problem }) => problem !== undefined) ? 1 : 0;
}
