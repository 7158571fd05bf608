import { z } from 'zod';
import { redactionSettings } from '../runtime/redaction-settings.ts';

export const redactorSettings = redactionSettings.extend({
  // hex; pseudonyms are made under it, and who has it can recompute them: every redactor of a deployment has the same
  TRIPLINE_PSEUDONYM_KEY: z
    .string()
    .regex(/^(?:[0-9a-f]{2}){16,64}$/, '16 to 64 bytes in hex')
    .optional(),
  REDACTOR_LINGER_MS: z.coerce.number().int().nonnegative().max(10_000).default(10), // batching; adds latency
});
export type RedactorSettings = z.infer<typeof redactorSettings>;
