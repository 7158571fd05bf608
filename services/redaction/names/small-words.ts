/** Small words inside names of people and places. */
import { has } from './lexicon.ts';
import { hashAt, type Tokens } from './tokens.ts';
import { wordRoles } from './word-roles.ts';

const role = { particle: 1, shortForm: 2, of: 4 } as const;
const roleOf = wordRoles([
  [
    role.particle,
    'van von der den de del della di da dos das du la las los le el al bin ibn ben bint ter ten zu af y e',
  ],
  [role.shortForm, 'st ste mt ft'],
  [role.of, 'of'],
]);

/** `van`, `de la`, `bin`. */
export const isParticle = (all: Tokens, at: number): boolean => has(roleOf(hashAt(all, at)), role.particle);
/** Before the rest of a place's name: `St. Thomas`, `Mt Vernon`. */
export const isShortForm = (all: Tokens, at: number): boolean => has(roleOf(hashAt(all, at)), role.shortForm);
/** `Bay of Bengal`. */
export const isOf = (all: Tokens, at: number): boolean => has(roleOf(hashAt(all, at)), role.of);
