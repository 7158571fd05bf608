/** What the supervisor of an embedded stack says of itself in its home folder: who it is and where its parts are. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

export const stackFile = (home: string): string => join(home, 'stack.json');

const stack = z.object({
  brokers: z.string(),
  clickhouseUrl: z.string(),
  registryUrl: z.string(),
  prefix: z.string(),
  database: z.string(),
  pid: z.number(),
  startedAt: z.number(),
  probeUrl: z.string().optional(),
  /** Those of the three parts that `up` started; the others were given to it. */
  embedded: z.array(z.enum(['broker', 'store', 'registry'])).optional(),
});
export type StackState = z.infer<typeof stack>;

export function readStack(home: string): StackState | undefined {
  if (!existsSync(stackFile(home))) return undefined;
  const parsed = stack.safeParse(JSON.parse(readFileSync(stackFile(home), 'utf8')));
  return parsed.success ? parsed.data : undefined;
}
