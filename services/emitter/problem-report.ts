/**
 * The last problem, for `stats().lastProblem`. A dependency may quote what it stumbled over, so its text is cleaned.
 * Redaction loads with the first one: an app in which nothing goes wrong does not pay for it.
 */
export type ProblemReport = {
  /** Undefined: none yet. */
  readonly last: string | undefined;
  /** A text of our own, told as it is. */
  say(problem: string): void;
  /** A text of somebody else's, told cleaned. */
  report(error: unknown, prefix?: string): void;
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 4_096);

export function createProblemReport(first: string | undefined): ProblemReport {
  let last = first;
  let clean: ((text: string) => string) | undefined;
  const say = (problem: string): void => {
    last = problem;
  };
  const report = (error: unknown, prefix = ''): void => {
    const message = messageOf(error);
    const tell = (cleaner: (text: string) => string): void => say(`${prefix}${cleaner(message).slice(0, 300)}`);
    if (clean !== undefined) return tell(clean);
    say(`${prefix}a problem whose text is being cleaned`);
    import('../redaction/messages.ts').then(
      ({ cleanMessage }) => {
        clean = cleanMessage;
        tell(clean);
      },
      () => tell(() => 'something that cannot be told, redaction did not load'),
    );
  };
  return {
    get last() {
      return last;
    },
    say,
    report,
  };
}
