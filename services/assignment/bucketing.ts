/**
 * Where a unit falls. SHA-256 of `salt 0x1f layer 0x1f purpose 0x1f unit` in UTF-8; its first 53 bits as a fraction in
 * [0, 1). Two purposes, two independent draws: `slot` says whether the unit is in (coverage, layers), `arm` which arm
 * it holds. Published vectors: test/golden/assignment-vectors.json.
 */
import { createHash } from 'node:crypto';

export type Purpose = 'slot' | 'arm';

export function fractionOf(salt: string, layer: string, purpose: Purpose, unit: string): number {
  const digest = createHash('sha256').update(`${salt}\u001f${layer}\u001f${purpose}\u001f${unit}`, 'utf8').digest();
  return (digest.readUInt32BE(0) * 2 ** 21 + (digest.readUInt32BE(4) >>> 11)) / 2 ** 53;
}

/** The arm whose cumulated share holds the fraction; arms in declared order, shares weight / sum. */
export function armAt<A extends { readonly weight: number }>(arms: readonly A[], fraction: number): A | undefined {
  const sum = arms.reduce((total, { weight }) => total + weight, 0);
  let upTo = 0;
  for (const arm of arms) {
    upTo += arm.weight / sum;
    if (fraction < upTo) return arm;
  }
  return arms.at(-1);
}
