import type { Ack } from '../../schemas/generated.ts';

/** Answers that leave a person with what they asked for. */
const isAsAsked = new Set([
  'unchanged',
  'already-answered',
  'already-stopped',
  'already-ended',
  'already-paused',
  'not-paused',
]);

export type Told = {
  /** Of the control record. */
  readonly number: number;
  readonly answer: Pick<Ack, 'result' | 'code' | 'reason'> | undefined;
  readonly isBotThere: boolean;
};

/** What a person reads, and the exit code: 0 when what they asked for holds. */
export function answerLine(
  experiment: string,
  verb: string,
  told: Told,
): { readonly line: string; readonly code: number } {
  const { number, answer, isBotThere } = told;
  if (answer === undefined) {
    const why = isBotThere
      ? 'it has not answered, `npx tripline status` says what it waits for'
      : 'none runs, `npx tripline start bot` starts one';
    const line =
      `${experiment}: ${verb} is control record ${number}; not obeyed yet by the bot: ${why}. ` +
      'Assigners that reach the broker obey a stop without it; nothing has to be said again';
    return { line, code: 1 };
  }
  const { result, code, reason } = answer;
  const line = `${experiment}: ${reason ?? result} (${verb}, control record ${number}: ${result})`;
  return { line, code: result === 'applied' || isAsAsked.has(code ?? '') ? 0 : 1 };
}
