import { describe, expect, test } from 'vitest';
import { isSampled, isTraceparent, parseTraceparent } from '../../../services/kernel/trace-context.ts';

const [traceId, spanId] = ['4bf92f3577b34da6a3ce929d0e0e4736', '00f067aa0ba902b7'];

describe('traceparent', () => {
  test.each([
    ['a sampled one', `00-${traceId}-${spanId}-01`, true, true],
    ['one that is not sampled', `00-${traceId}-${spanId}-00`, true, false],
    ['another flag next to the sampled one', `00-${traceId}-${spanId}-03`, true, true],
    ['a later version', `01-${traceId}-${spanId}-01`, true, false],
    ['upper case', `00-${traceId.toUpperCase()}-${spanId}-01`, false, false],
    ['a short span id', `00-${traceId}-${spanId.slice(1)}-01`, false, false],
    ['a line break behind it', `00-${traceId}-${spanId}-01\n`, false, false],
    ['more behind it', `00-${traceId}-${spanId}-01-more`, false, false],
    ['a text of the app', 'ada@example.org', false, false],
    ['nothing', undefined, false, false],
  ])('%s', (_, header, wellFormed, sampled) => {
    expect([isTraceparent(header), isSampled(header)]).toEqual([wellFormed, sampled]);
    expect(parseTraceparent(header) !== undefined).toBe(wellFormed);
  });

  test('gives its parts', () => {
    expect(parseTraceparent(`00-${traceId}-${spanId}-03`)).toEqual({ version: '00', traceId, spanId, flags: 3 });
  });
});
