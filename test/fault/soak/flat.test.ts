import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { bounds, flatness } from './flat.ts';

/** 20 minutes, a sample every 10 s: 250 MB that move by 20 MB, and that start low. */
const steady = Array.from(
  { length: 120 },
  (_, index) => 250e6 - 90e6 * Math.exp(-index / 8) + 20e6 * Math.sin(index * 1.7),
);
const leaking = (bytesPerSecond: number): number[] => steady.map((value, index) => value + bytesPerSecond * 10 * index);
/** A process that is killed every five minutes and grows in between. */
const sawtooth = steady.map((value, index) => value + 100e3 * 10 * (index % 30));

test.each([
  ['steady', steady, true],
  ['a sawtooth of restarts', sawtooth, true],
  ['three minutes away', steady.map((value, index) => (index > 60 && index < 79 ? undefined : value)), true],
  ['one peak', steady.map((value, index) => (index === 100 ? 3 * value : value)), true],
  ['a leak of 200 kB/s', leaking(200e3), false],
  ['a leak of 120 kB/s', leaking(120e3), false],
  ['two samples', [1, 1], false],
  ['nothing measured at the end', steady.map((value, index) => (index > 80 ? undefined : value)), false],
] as const)('%s', (_name, samples, flat) => {
  expect(flatness(samples, bounds.resident).flat).toBe(flat);
});

property.prop([
  fc.array(fc.double({ min: 0, max: 100, noNaN: true }), { minLength: 9, maxLength: 60 }),
  fc.double({ min: 5, max: 50, noNaN: true }),
])('whatever else it does, a line steep enough is never flat', (noise, slope) => {
  const rising = noise.map((value, index) => value / 100 + slope * index);
  expect(flatness(rising, { factor: 1, slack: slope }).flat).toBe(false);
});
