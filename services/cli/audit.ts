/**
 * `audit`: do the aggregates that decide equal a recount of the unit rows? Exit 0: to the last digit. 1: they do not.
 * 2: it could not be told.
 */
import type { Store } from '../runtime/clickhouse-client.ts';
import { sqlQuery } from '../runtime/sql-files.ts';
import { auditAggregates } from '../statistics/audit.clickhouse.ts';
import { withConnection } from './read.ts';
import { paint, print, printJson, table } from './terminal.ts';

/** Holes in the log that somebody accepted: the recount is of what was read. */
const acceptedHoles = async (store: Store) =>
  store.rows<{ message: string; acceptedAt: string }>(await sqlQuery('accepted-holes'));

export async function audit(home: string, json: boolean): Promise<number> {
  return withConnection(home, async ({ store }) => {
    const holes = await acceptedHoles(store);
    const { mismatches, tries, settled } = await auditAggregates(store);
    if (json) printJson({ equal: settled && mismatches.length === 0, settled, tries, mismatches, holes });
    else if (mismatches.length > 0) {
      print(`${paint.red('different')} ${mismatches.length} aggregates are not what their unit rows say`);
      print(
        table([
          ['kind', 'key', 'aggregate', 'recount'],
          ...mismatches.map(({ what, key, aggregate, recount }) => [what, key, aggregate, recount]),
        ]),
      );
      print('  nothing is decided while they differ; fold the log again: `npx tripline down`, `npx tripline rebuild`');
    } else if (settled) print(`${paint.green('equal')}     metric and test aggregates are what their unit rows say`);
    else
      print(
        `${paint.yellow('unsettled')} flushes came during each of ${tries} tries; try again when there is less traffic`,
      );
    if (!json)
      for (const { message, acceptedAt } of holes)
        print(`${paint.yellow('gap')}       ${message}; accepted ${acceptedAt}, not in any number`);
    return mismatches.length > 0 ? 1 : settled ? 0 : 2;
  });
}
