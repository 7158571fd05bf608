/**
 * Properties draw the same inputs in every run, so that a red run is about the change and can be repeated;
 * TRIPLINE_SEED draws others. Search without end is `npm run fuzz`, `npm run fault`, `npm run simulate`.
 */
import fc from 'fast-check';

const seed = Number(process.env['TRIPLINE_SEED'] ?? 20261121);
if (!Number.isInteger(seed)) throw new RangeError('TRIPLINE_SEED is a whole number');
fc.configureGlobal({ seed });
