/**
 * The linker's state: read back as it was, whenever it is flushed, whoever else writes it; what a joiner hears of it
 * never depends on crashes.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { EntityRecord } from '../../../schemas/generated.ts';
import {
  createLinkerState,
  type Forward,
  type LinkerState,
  linkRecord,
  unlinkedByKind,
} from '../../../services/linker/link.ts';
import type { LinkRowText } from '../../../services/kernel/state/read.ts';
import { restoreLinks, takeLinkRows } from '../../../services/linker/link-rows.ts';
import { readStateRows } from '../../support/memory-state.ts';

const hour = 3_600_000;
const limits = { waitMs: 30 * hour, keepMs: 60 * hour, maxWaiting: 3 };
const id = (text: string): Buffer => Buffer.from(text.padEnd(16, '.'), 'latin1');
const small = (max: number) => fc.integer({ min: 0, max });
const link = fc.record({ ticket: small(3), unit: small(3), type: fc.constantFrom('user', 'org'), age: small(20) }).map(
  ({ ticket, unit, type, age }) =>
    (at: number): EntityRecord => ({
      received_at: at,
      trace_id: null,
      body: {
        'tripline.v1.Link': {
          entity: id(`T${ticket}`),
          unit_type: type,
          unit: id(`${type}${unit}`),
          bucket: unit,
          occurred_at: at - age * hour,
        },
      },
    }),
);
/** Names of the unit that stands where a ticket does: under it itself, and under two sessions. */
const name = fc
  .record({
    of: small(3),
    name: small(2),
    phaseKey: fc.constantFrom('x/1', 'x/2'),
    exposed: fc.boolean(),
    age: small(20),
  })
  .map(
    ({ of, name: which, phaseKey, exposed, age }) =>
      (at: number): EntityRecord => ({
        received_at: at,
        trace_id: null,
        body: {
          'tripline.v1.Link': {
            entity: id(`T${of}`),
            unit_type: 'session',
            unit: which === 0 ? id(`T${of}`) : id(`s${which}`),
            bucket: which,
            occurred_at: at - age * hour,
            phase_key: phaseKey,
            exposed,
          },
        },
      }),
  );
const outcome = fc
  .record({
    ticket: small(3),
    number: small(5),
    revision: fc.integer({ min: 1, max: 3 }),
    value: fc.option(small(3)),
    kind: fc.constantFrom('resolved', 'reopened'),
    of_unit: fc.boolean(),
  })
  .map(
    ({ ticket, number, revision, value, kind, of_unit }) =>
      (at: number): EntityRecord => ({
        received_at: at,
        trace_id: null,
        body: {
          'tripline.v1.OutcomeWaiting': {
            entity: id(`T${ticket}`),
            outcome_id: id(`o${number}`),
            revision,
            occurred_at: at,
            kind,
            value,
            of_unit,
          },
        },
      }),
  );
const log = fc
  .array(fc.tuple(fc.oneof(link, name, outcome), small(12)), { minLength: 1, maxLength: 60 })
  .map((steps) => {
    let at = 100 * hour;
    return steps.map(([make, hours]) => {
      at += hours * hour;
      return make(at);
    });
  });

/** The table: the highest version of each key. */
const table = () => {
  const rows = new Map<string, LinkRowText>();
  return {
    rows,
    write: (bytes: Buffer): void => {
      for (const row of readStateRows(bytes))
        if (Number(rows.get(`${row.kind}${row.key}`)?.position ?? -1) <= Number(row.position))
          rows.set(`${row.kind}${row.key}`, row);
    },
  };
};
const heard = (forwards: readonly Forward[]): string[] => [
  ...new Set(forwards.map((forward) => JSON.stringify(forward))),
];
const known = (fold: LinkerState) => ({
  entities: [...fold.entities]
    .map(([key, { owners, outcomes, names, touchedAt }]) => [
      key,
      [...owners],
      [...outcomes],
      [...(names ?? [])].map(([phaseKey, { counts, out }]) => [phaseKey, counts, [...out]]),
      touchedAt,
    ])
    .sort(),
  unlinked: [...fold.unlinked].sort(),
  clock: fold.clock,
});
const whole = (records: readonly EntityRecord[]) => {
  const fold = createLinkerState(0, limits);
  for (const [index, record] of records.entries()) linkRecord(fold, record, index * 4096);
  return fold;
};

test('any schedule of flushes, crashes and a zombie: the same links, the same counts, the same forwards', () => {
  fc.assert(
    fc.property(
      log,
      fc.array(
        fc.tuple(small(1), fc.constantFrom('fold', 'fold', 'fold', 'take', 'write', 'crash', 'crash before the rows')),
        { maxLength: 120, size: 'max' },
      ),
      (records, steps) => {
        const { rows, write } = table();
        const sent: Forward[] = [];
        const load = () => {
          const fold = restoreLinks(0, [...rows.values()], limits);
          return { fold, at: fold.position / 4096, taken: undefined as Buffer | undefined };
        };
        const owners = [load(), load()];
        const flush = (owner: ReturnType<typeof load>): void => {
          const { outgoing, rows: bytes } = takeLinkRows(owner.fold, owner.at * 4096);
          sent.push(...outgoing);
          owner.taken = bytes;
        };
        for (const [which, what] of steps) {
          const owner = owners[which] as ReturnType<typeof load>;
          if (what === 'fold') {
            const record = records[owner.at];
            if (record) linkRecord(owner.fold, record, owner.at++ * 4096);
          } else if (what === 'take' && owner.at > 0 && owner.taken === undefined) flush(owner);
          else if (what === 'write' && owner.taken) {
            write(owner.taken);
            owner.taken = undefined;
          } else if (what.startsWith('crash')) {
            if (what === 'crash before the rows' && owner.at > 0 && owner.taken === undefined) flush(owner);
            owners[which] = load();
          }
        }
        for (const [which, owner] of owners.entries()) {
          if (owner.taken) write(owner.taken);
          const last = which === 1 ? load() : owner;
          while (last.at < records.length) linkRecord(last.fold, records[last.at] as EntityRecord, last.at++ * 4096);
          flush(last);
          write(last.taken as Buffer);
        }
        const expected = whole(records);
        expect(known(restoreLinks(0, [...rows.values()], limits))).toEqual(known(expected));
        expect(heard(sent).sort()).toEqual(heard(expected.outgoing).sort());
        expect([...unlinkedByKind(restoreLinks(0, [...rows.values()], limits))].sort()).toEqual(
          [...unlinkedByKind(expected)].sort(),
        );
      },
    ),
    { numRuns: 200 },
  );
});

test('a partition nobody has folded is empty', () =>
  expect(known(restoreLinks(0, [], limits))).toEqual({ entities: [], unlinked: [], clock: 0 }));
