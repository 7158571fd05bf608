import type { Singleton } from '../runtime/singleton.ts';
import type { DecisionHistory } from './follow-decisions.kafka.ts';

/** Which process may look: this one, always, or the one that leads its group. */
type Leadership = {
  leads(): boolean;
  /** True when this process leads, and knows every decision that the control topic held when its term began. */
  lead(): Promise<boolean>;
};

/** `onTerm`: this process leads again; another may have led meanwhile. */
export function createLeadership(
  singleton: Singleton | undefined,
  history: DecisionHistory,
  onTerm: () => void,
): Leadership {
  /** The term in which everything that earlier leaders decided is known. */
  let ledTerm: number | undefined;
  const leads = (): boolean => singleton === undefined || (singleton.leads() && singleton.term() === ledTerm);
  return {
    leads,
    lead: async () => {
      if (singleton === undefined || leads()) return true;
      const term = singleton.term();
      if (!singleton.leads()) return false;
      await history.catchUp();
      ledTerm = term;
      onTerm();
      return leads();
    },
  };
}
