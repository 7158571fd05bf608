/**
 * When too many records are parked it is not them: a schema or a deployment is wrong, and the topic would run dry into
 * the dead letters. A stage then stops before it parks more and says so in `status` and `/readyz` (Arroyo's DlqLimit
 * does the same). Two ways on, both a person's: started again, it parks the batch that stopped it and judges what comes
 * after; with `TRIPLINE_PARKED_SHARE=1` it parks whatever comes.
 */
export type ParkedLimitOptions = {
  /** Share of the last records that may be parked, in (0, 1]. */
  readonly share: number;
  /** How many last records are looked at; fewer are never too few to go on. */
  readonly over: number;
};

export const defaultParkedLimit: ParkedLimitOptions = { share: 0.5, over: 2_000 };

const howToGoOn =
  '`npx tripline parked list` shows them; a restart parks this batch and goes on, TRIPLINE_PARKED_SHARE=1 parks all';

export type ParkedLimit = {
  /**
   * Takes a batch's verdicts in; why the stage has to stop, or undefined. A batch that is refused is not counted: it
   * comes again.
   */
  admit(records: number, codes: readonly string[]): string | undefined;
};

type Half = { records: number; readonly codes: Map<string, number> };
const emptyHalf = (): Half => ({ records: 0, codes: new Map() });

export function createParkedLimit({ share, over }: ParkedLimitOptions = defaultParkedLimit): ParkedLimit {
  // Two halves of a window that slides by half of itself.
  let older = emptyHalf();
  let newer = emptyHalf();
  // Whoever started the stage has seen why it stopped: until it has read a window, one batch passes that would stop it.
  // Without, it would stop at the same batch for ever.
  let mayPass = true;
  return {
    admit: (records, codes) => {
      const parked = new Map([...older.codes]);
      for (const [code, count] of newer.codes) parked.set(code, (parked.get(code) ?? 0) + count);
      for (const code of codes) parked.set(code, (parked.get(code) ?? 0) + 1);
      const total = older.records + newer.records + records;
      const bad = [...parked.values()].reduce((sum, count) => sum + count, 0);
      if (codes.length > 0 && total >= over && bad > share * total) {
        if (mayPass) {
          mayPass = false;
          return undefined;
        }
        const [code] = [...parked].sort((a, b) => b[1] - a[1])[0] ?? ['?'];
        const which = `${bad} of the last ${total} records, most of them ${code}`;
        return `parked share too high: ${which}; ${howToGoOn}`;
      }
      if (total >= over) mayPass = false;
      newer.records += records;
      for (const one of codes) newer.codes.set(one, (newer.codes.get(one) ?? 0) + 1);
      if (newer.records >= over / 2) {
        older = newer;
        newer = emptyHalf();
      }
      return undefined;
    },
  };
}
