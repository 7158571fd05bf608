import { fromExperimentRecord } from '../control/index.ts';
import type { ExperimentRevision } from '../kernel/experiment.ts';
import { topicName } from '../runtime/topics.ts';
import type { Connection } from './read.ts';

/** Every revision that the experiment topic still holds, oldest first: it is compacted, the newest always stays. */
export async function readRevisions({ log, codec, prefix }: Connection): Promise<readonly ExperimentRevision[]> {
  const revisions: ExperimentRevision[] = [];
  for (const { value } of await log.readToEnd(topicName(prefix, 'experiment.v1'))) {
    if (value === null) continue;
    await codec.prepare([value]);
    const decoded = codec.decode(['experiment'], value);
    if (decoded.ok) revisions.push(fromExperimentRecord(decoded.value));
  }
  return revisions;
}
