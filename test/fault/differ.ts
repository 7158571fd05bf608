/** `have` and `want` as JSON, or nothing when they are equal. */
export const differ = (what: string, have: unknown, want: unknown): string[] =>
  JSON.stringify(have) === JSON.stringify(want)
    ? []
    : [`${what}: ${JSON.stringify(have)}, expected ${JSON.stringify(want)}`];

export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
