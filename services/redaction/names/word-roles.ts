/** Words by what they are to a rule: lists in, one question by hash out. Hashed at the first question. */
import { hashWord } from './letters.ts';

/** A role's bit, and its words, separated by white space. */
export type RoleList = readonly [role: number, words: string];

/** Hash and roles of every word in these lists; a word may have several. */
export function rolesByHash(lists: readonly RoleList[]): Map<number, number> {
  const roles = new Map<number, number>();
  for (const [role, words] of lists)
    for (const word of words.trim().split(/\s+/)) {
      const hash = hashWord(word);
      roles.set(hash, (roles.get(hash) ?? 0) | role);
    }
  return roles;
}

/** Answers a word's roles as bits, 0 for a word in none of the lists. */
export function wordRoles(lists: readonly RoleList[]): (hash: number) => number {
  let roles: ReadonlyMap<number, number> | undefined;
  return (hash) => {
    roles ??= rolesByHash(lists);
    return roles.get(hash) ?? 0;
  };
}
