/**
 * All detectors, in the order in which they are called: secrets first, since no number begins inside of one. Where
 * findings are equal in rank and range, the earlier detector's stands. A detector that joins is one line here.
 */
import type { Detector } from './detector.ts';
import { isOfNames } from './entity-types.ts';
import { createForeignScanner } from './foreign-literals.ts';
import { namesDetector } from './names/index.ts';
import { once } from './once.ts';
import { secretDetector } from './secrets/index.ts';
import { birthDetector } from './structured/dates.ts';
import { emailDetector } from './structured/email.ts';
import { networkDetector } from './structured/network.ts';
import { numberDetector } from './structured/numbers.ts';
import { postalCodeDetector } from './structured/postal-codes.ts';
import { createLiteralScan } from './trigger-literals.ts';

export const detectors: readonly Detector[] = [
  secretDetector,
  namesDetector,
  postalCodeDetector,
  networkDetector,
  emailDetector,
  birthDetector,
  numberDetector,
];

/** Those that go with the switch of the names tier, by index. */
export const areOfNames: readonly boolean[] = detectors.map(({ types }) => types.every(isOfNames));

/** What each detector's `hints` are, as bits. */
export const hintBits = { digits: 1, ats: 2, colons: 4, macs: 8 } as const;
export const wantedHints: readonly number[] = detectors.map(({ hints = [] }) =>
  hints.reduce((bits, hint) => bits | hintBits[hint], 0),
);

/** Built for the first text, about 45 ms: an app that imports the emitter need not pay for it. */
export const scanner = once(() => createLiteralScan(detectors));
export const foreignScanner = once(() => createForeignScanner(detectors));
