/** Waits until a stage has done with what was written: its group has committed past it. */
import { setTimeout as wait } from 'node:timers/promises';
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { LogClient } from '../runtime/log.ts';

const patienceMs = 120_000;

/** One past the last record of each partition of these topics, by `topic/partition`. */
export async function endsOf(log: LogClient, topics: readonly string[]): Promise<Map<string, number>> {
  const ends = await Promise.all(
    topics.map(async (topic) =>
      (await log.endOffsets(topic)).map((end, partition) => [`${topic}/${partition}`, end] as const),
    ),
  );
  return new Map(ends.flat());
}

/** `so far`: what has been done, for whoever reads that it took too long. Throws `TIMEOUT` after two minutes. */
export async function awaitGroup(
  log: LogClient,
  group: string,
  ends: ReadonlyMap<string, number>,
  stage: string,
  soFar: string,
): Promise<void> {
  const reached = async (): Promise<boolean> => {
    const behind = await Promise.all(
      [...ends].map(async ([place, end]) => {
        const [topic = '', partition = ''] = place.split('/');
        return end > 0 && ((await log.committedOffsets(group, topic))[Number(partition)] ?? 0) < end;
      }),
    );
    return !behind.includes(true);
  };
  for (let waited = 0; !(await reached()); waited += 250) {
    if (waited >= patienceMs)
      throw new PipelineError('TIMEOUT', `${soFar}, and the ${stage} has not taken it within ${patienceMs / 1_000} s`, {
        hint: 'start the stages (`npx tripline up`), then run this again: it may be repeated',
      });
    await wait(250);
  }
}
