/** `env`: what an app, or stages in processes of their own, must export to use the stack of a home folder. */
import { isAlive } from '../../infra/embedded/child.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { readStack } from './stack-file.ts';
import { print } from './terminal.ts';

/** For a POSIX shell, whatever the value holds. */
export const shellQuoted = (value: string): string =>
  /^[A-Za-z0-9_./:,@%+=-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;

export function env(home: string): number {
  const running = readStack(home);
  if (running === undefined || !isAlive(running.pid))
    throw new PipelineError('STACK_NOT_RUNNING', `no embedded stack runs in ${home}`, {
      hint: 'start one with `npx tripline up`, or name another folder with --home',
    });
  const exported = {
    KAFKA_BROKERS: running.brokers,
    SCHEMA_REGISTRY_URL: running.registryUrl,
    CLICKHOUSE_URL: running.clickhouseUrl,
    TRIPLINE_TOPIC_PREFIX: running.prefix,
    TRIPLINE_DATABASE: running.database,
  };
  for (const [name, value] of Object.entries(exported)) print(`export ${name}=${shellQuoted(value)}`);
  return 0;
}
