/**
 * Resolves with the first SIGINT, SIGTERM or SIGHUP; a second one, or `deadlineMs` after the first, ends the process
 * non-zero whatever still closes.
 */
let asked: Promise<NodeJS.Signals> | undefined;
export function onSignals(deadlineMs = 30_000): Promise<NodeJS.Signals> {
  asked ??= new Promise((resolve) => {
    let first = true;
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        if (!first) process.exit(130);
        first = false;
        setTimeout(() => process.exit(124), deadlineMs).unref();
        resolve(signal);
      });
    }
  });
  return asked;
}
