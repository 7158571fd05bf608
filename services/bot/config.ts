import { z } from 'zod';

/** None of its own: it obeys what is decided, at once. */
export const botSettings = z.object({});
export type BotSettings = z.infer<typeof botSettings>;
