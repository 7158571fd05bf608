import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createDueQueue } from '../../../services/joiner/due-queue.ts';

const id = fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
test('what was put in comes out in the order of its times, whole', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), id), { maxLength: 2_000 }),
      fc.integer({ min: 0, max: 50 }),
      (items, until) => {
        const queue = createDueQueue();
        for (const [at, key] of items) queue.push(at, key);
        expect(queue.before(until).sort()).toEqual(
          items
            .filter(([at]) => at < until)
            .map(([, key]) => key)
            .sort(),
        );
        const out: [number, string][] = [];
        while (queue.size > 0) out.push([queue.next(), queue.pop()]);
        expect(out.map(([at]) => at)).toEqual(items.map(([at]) => at).sort((a, b) => a - b));
        expect(out.map((item) => item.join()).sort()).toEqual(items.map((item) => item.join()).sort());
        expect(queue.next()).toBe(Number.POSITIVE_INFINITY);
      },
    ),
    { numRuns: 60 },
  );
});
