/** The difference array of a test's aggregates against a recount, for every test start. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { foldRecord } from '../../../services/joiner/fold.ts';
import { type MetricState, readAggregateKey } from '../../../services/joiner/experiment-state.ts';
import { createPartitionState } from '../../../services/joiner/partition-state.ts';
import { entriesAt } from '../../../services/joiner/unit-state.ts';
import { fixedPoint, scaledValue } from '../../../services/kernel/bets.ts';
import { type EntryValue, entryValue } from '../../../services/kernel/entry-value.ts';
import { entryField, entryLength } from '../../../services/kernel/state/kinds.ts';
import { positionOf } from '../../support/joiner-driver.ts';
import { aLog } from '../../support/unit-log.ts';

test("for every test start, suffix sums of the difference array are a recount of each unit's first entry since", () => {
  fc.assert(
    fc.property(aLog, (log) => {
      const partition = createPartitionState(0);
      /**
       * Entries as they close, from outside: per experiment, unit and metric, their segments and values; a correction
       * moves the last one.
       */
      const closed = new Map<string, { segment: number; value: EntryValue; start: number }[]>();
      for (const [offset, record] of log.entries()) {
        foldRecord(partition, record, positionOf(offset));
        for (const unit of partition.units.values()) {
          for (const member of unit.experiments) {
            for (const [index, metric] of member.experiment.metrics.entries()) {
              const entry = entriesAt(member) + index * entryLength;
              const read = (field: keyof typeof entryField): number => member.data[entry + entryField[field]] ?? 0;
              const [segment, start] = [read('lastSegment'), read('lastStart')];
              if (segment < 0) continue;
              const at = `${member.experiment.key}/${unit.id}/${member.arm}/${index}`;
              const entries = closed.get(at) ?? [];
              closed.set(at, entries);
              const value = entryValue(metric.rule, {
                numerator: read('lastNumerator'),
                denominator: read('lastDenominator'),
                known: read('lastKnown'),
                unknown: read('lastUnknown'),
                reached: read('lastReached'),
              });
              const last = entries.at(-1);
              if (last?.segment === segment) last.value = value;
              else entries.push({ segment, value, start });
            }
          }
        }
      }
      for (const experiment of partition.experiments.values()) {
        for (let testStart = 0; testStart < experiment.segments.length; testStart += 1) {
          for (const [arm] of experiment.arms.entries()) {
            for (const [index, metric] of experiment.metrics.entries()) {
              const sums = [0, 0, 0];
              for (const [key, aggregate] of experiment.testAggregates) {
                const at = readAggregateKey(experiment, key);
                if (at.metric !== index || at.segment < testStart || (at.side === 1) !== (experiment.control !== arm))
                  continue;
                sums[0] = (sums[0] ?? 0) + aggregate.n;
                sums[1] = (sums[1] ?? 0) + aggregate.s;
                sums[2] = (sums[2] ?? 0) + aggregate.sv;
              }
              expect(sums).toEqual(recount(closed, experiment.key, arm, index, metric, testStart));
            }
          }
        }
      }
    }),
    { numRuns: 60 },
  );
});

function recount(
  closed: ReadonlyMap<string, readonly { segment: number; value: EntryValue }[]>,
  experiment: string,
  arm: number,
  index: number,
  metric: MetricState,
  testStart: number,
): number[] {
  const sums = [0, 0, 0];
  for (const [at, entries] of closed) {
    if (!at.startsWith(`${experiment}/`) || !at.endsWith(`/${arm}/${index}`)) continue;
    const entry = entries.find(({ segment }) => segment >= testStart);
    if (entry === undefined) continue;
    sums[0] = (sums[0] ?? 0) + 1;
    if (entry.value.state !== 'known') continue;
    const { value } = entry.value;
    if (value !== 0) sums[1] = (sums[1] ?? 0) + 1;
    sums[2] = (sums[2] ?? 0) + Math.floor(scaledValue(metric.spec, value) * fixedPoint);
  }
  return sums;
}
