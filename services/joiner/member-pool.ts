/**
 * Numbers of the cached units of one experiment, side by side in slabs: an array of its own per unit costs more than
 * what it holds.
 */
export type MemberPool = {
  /** Numbers per unit. */
  readonly stride: number;
  /** `stride` zeros from `at` in `data`. */
  take(): { readonly slot: number; readonly data: Float64Array; readonly at: number };
  give(slot: number): void;
  readonly bytes: number;
};

const unitsPerSlab = 512;

export function createMemberPool(stride: number): MemberPool {
  const slabs: Float64Array[] = [];
  const free: number[] = [];
  let used = 0;
  return {
    stride,
    take: () => {
      const slot = free.pop() ?? used++;
      const slab = Math.floor(slot / unitsPerSlab);
      const data = slabs[slab] ?? new Float64Array(unitsPerSlab * stride);
      slabs[slab] = data;
      const at = (slot % unitsPerSlab) * stride;
      data.fill(0, at, at + stride);
      return { slot, data, at };
    },
    give: (slot) => void free.push(slot),
    get bytes() {
      return slabs.length * unitsPerSlab * stride * 8;
    },
  };
}
