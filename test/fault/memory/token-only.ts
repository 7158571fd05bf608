/**
 * A build that was rejected: no versions, no state. A batch becomes a row of differences with a deduplication
 * token, then its offset is committed. The token names the batch, and after a crash the next owner cuts its batches
 * elsewhere. It is given everything else for nothing: it never counts an event twice that was delivered twice, and its
 * store remembers every token for ever.
 */
import { createRandom } from '../../../services/demo/story.ts';
import { aRevision, monday } from '../../support/build.ts';
import { createMemoryPath } from '../../support/memory-path.ts';
import { disorderOf } from '../disorder.ts';

/** What it counted of each partition's distinct events, against what there are. */
export function runTokenOnlyTrial(seed: number): { readonly wrong: readonly string[]; readonly crashes: number } {
  const random = createRandom(seed ^ 0x70c3);
  const path = createMemoryPath(2);
  path.apply(aRevision());
  for (const arrival of disorderOf(seed).arrivals) path.send(arrival);
  path.tick(monday);
  let crashes = 0;
  const wrong = path.logs.flatMap((log, partitionId) => {
    const first = new Set<string>();
    const isFirst = log.map(
      ({ body }) =>
        'tripline.v1.Observation' in body &&
        !first.has(body['tripline.v1.Observation'].event_id.toString('hex')) &&
        Boolean(first.add(body['tripline.v1.Observation'].event_id.toString('hex'))),
    );
    const tokens = new Map<string, number>();
    let committed = 0;
    for (let at = 0; committed < log.length; ) {
      const to = Math.min(log.length, at + 1 + Math.floor(random() * 12));
      if (random() < 0.1) {
        crashes += 1;
        at = committed;
        continue;
      }
      tokens.set(`${at}-${to}`, isFirst.slice(at, to).filter(Boolean).length);
      if (random() < 0.1) {
        crashes += 1;
        at = committed;
        continue;
      }
      at = to;
      committed = to;
    }
    const counted = [...tokens.values()].reduce((sum, count) => sum + count, 0);
    return counted === first.size ? [] : [`events of partition ${partitionId}: ${counted}, expected ${first.size}`];
  });
  return { wrong, crashes };
}
