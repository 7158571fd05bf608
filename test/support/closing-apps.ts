/** Apps that let go of the emitter, each in its own way: every one of them must end by itself. */
const open = "import { tripline } from 'tripline/emitter';";
const record = "tripline.record({ userId: 'u-1', modelServed: 'm', status: 'success' });";
const close = 'await tripline.close({ timeoutMs: 1_000 });';
const tell = 'console.log(JSON.stringify(tripline.stats()));';

export const closingApps: Readonly<Record<string, string>> = {
  'record, then close at once': `${open} ${record} ${close} ${tell}`,
  'close before anything': `${open} ${close} ${tell}`,
  'close twice, one after the other': `${open} ${record} ${close} ${close} ${tell}`,
  'close twice at once':
    `${open} ${record} await Promise.all([tripline.close({ timeoutMs: 1_000 }), ` +
    `tripline.close({ timeoutMs: 1_000 })]); ${tell}`,
  'flush, then close': `${open} ${record} await tripline.flush({ timeoutMs: 500 }); ${close} ${tell}`,
  'record after close': `${open} ${record} ${close} ${record} ${tell}`,
  // While it connects, at every stage of it.
  ...Object.fromEntries(
    [40, 120].map((ms) => [
      `close ${ms} ms after the first call`,
      `${open} tripline.stats(); await new Promise((go) => setTimeout(go, ${ms})); ${close} ${tell}`,
    ]),
  ),
};
