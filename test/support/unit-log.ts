/**
 * A partition's log in which everything meets everything: a few users and tickets, two experiments of two unit types,
 * corrections and retractions before and after windows close, outcomes that know only their inference, moved tickets,
 * phases, crossovers, units that count under another name, erased subjects, ticks, duplicates.
 */
import fc from 'fast-check';
import type { UnitRecord } from '../../schemas/generated.ts';
import { anExperimentFile, aRevision, hour, monday } from './build.ts';
import { metricLines } from './metric-line.ts';

import { adopted, elsewhere, erased, exposed, happened, observed, tick } from './unit-records.ts';

export { adopted, elsewhere, erased, exposed, happened, id16Of, observed, tick } from './unit-records.ts';

export const first = aRevision();
const nextPhase = {
  ...first,
  revision: 2,
  phase: 2,
  phaseStartedAt: monday + 20 * hour,
  appliedAt: monday + 20 * hour,
};
const orgFile = anExperimentFile({
  metrics: metricLines([
    { id: 'error_rate', window: '6h', harm: '+0.05', baseline: { mean: 0.05, sd: 0.2 }, cap: 1 },
    {
      id: 'thumbs',
      denominator: undefined,
      role: 'signal',
      numerator: 'sum(thumbs)',
      better: 'higher',
      window: '12h',
      harm: '10%',
      baseline: { mean: 0.3, sd: 0.4 },
      cap: 3,
    },
  ]),
})
  .replace('id: exp-test', 'id: exp-org')
  .replace('unit: user', 'unit: org\n  fallback_unit: session');
export const second = aRevision({}, orgFile);

const small = (max: number) => fc.integer({ min: 0, max });
const observation = fc
  .record({
    number: small(30),
    user: small(5),
    org: fc.boolean(),
    both: fc.boolean(),
    ticket: small(8),
    error: fc.boolean(),
    prompt: small(12),
    crossed: small(15),
    late: fc.boolean(),
  })
  .map(
    ({ number, user, org, both, ticket, error, prompt, crossed, late }) =>
      (at: number, phase: number): UnitRecord[] => {
        const arm = (crossed === 0 ? 1 : 0) === user % 2 ? 'A' : 'B';
        const occurredAt = late ? at - 5 * hour : at;
        const common = { id: `e${number}`, error, at: occurredAt, receivedAt: at, prompt: prompt === 0 ? 'v2' : 'v1' };
        const asUser = observed({
          ...common,
          unit: `u${user}`,
          arm,
          phase,
          ...(ticket < 6 && { ticket: `T${ticket}` }),
        });
        const asOrg = observed({
          ...common,
          unit: `o${user % 2}`,
          arm: user % 2 === 0 ? 'A' : 'B',
          experiment: 'exp-org',
        });
        return both ? [asUser, asOrg] : [org ? asOrg : asUser];
      },
  );
const outcome = fc
  .record({
    number: small(20),
    user: small(5),
    ticket: small(8),
    inference: small(30),
    by: fc.constantFrom('unit', 'ticket', 'inference'),
    kind: fc.constantFrom('ticket_resolved', 'ticket_reopened', 'thumbs'),
    revision: fc.integer({ min: 1, max: 3 }),
    value: fc.option(small(9)),
    age: small(100),
    withdrawn: small(9),
  })
  .map(
    ({ number, user, ticket, inference, by, kind, revision, value, age, withdrawn }) =>
      (at: number): UnitRecord[] => [
        happened({
          id: `o${number}`,
          at: at - age * hour,
          receivedAt: at,
          kind,
          revision,
          value: value === null ? null : value * 1e6,
          ...(by === 'inference'
            ? { inference: `e${inference}` }
            : { unit: kind === 'thumbs' ? `o${user % 2}` : `u${user}`, byAlias: age % 3 === 0 }),
          ...(by === 'ticket' && { ticket: `T${ticket}`, hop: number, withdrawn: withdrawn === 0 }),
        }),
      ],
  );
const other = fc
  .record({
    what: fc.constantFrom('tick', 'tick', 'tick', 'exposure', 'erase', 'phase', 'elsewhere'),
    user: small(5),
    number: small(30),
  })
  .map(({ what, user, number }) => (at: number): UnitRecord[] => {
    if (what === 'exposure')
      return [exposed({ id: `x${number}`, unit: `u${user}`, at, arm: user % 2 === 0 ? 'A' : 'B' })];
    if (what === 'elsewhere') return number < 4 ? [elsewhere(`o${number % 2}`, 'exp-org/1', at)] : [];
    if (what === 'erase') return number < 6 ? [erased(`u${user}`, at)] : [];
    if (what === 'phase') return number < 8 ? [adopted(nextPhase)] : [adopted(first)];
    return [tick(at)];
  });

/** Between one and about a hundred records; the clock moves up to 20 hours from one to the next. */
export const aLog: fc.Arbitrary<UnitRecord[]> = fc
  .array(
    fc.tuple(
      fc.oneof(
        { weight: 6, arbitrary: observation },
        { weight: 4, arbitrary: outcome },
        { weight: 2, arbitrary: other },
      ),
      fc.oneof({ weight: 5, arbitrary: small(60) }, { weight: 1, arbitrary: small(1_200) }),
    ),
    { minLength: 10, maxLength: 90, size: 'max' },
  )
  .map((steps) => {
    const log = [adopted(first), adopted(second)];
    let at = monday;
    let phase = 1;
    for (const [make, minutes] of steps) {
      at += minutes * 60_000;
      for (const record of make(at, phase)) {
        if (
          'tripline.v1.ExperimentAdopted' in record.body &&
          record.body['tripline.v1.ExperimentAdopted'].revision === 2
        )
          phase = 2;
        log.push(record);
      }
    }
    return [...log, tick(at + 400 * hour)];
  });
