/** What `make` answers, made at the first call: tables are built for the first text that needs them, not at import. */
export function once<T extends object>(make: () => T): () => T {
  let made: T | undefined;
  return () => {
    made ??= make();
    return made;
  };
}
