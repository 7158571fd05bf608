/**
 * A membership filter: "never seen" without keeping what was seen. A chain of Bloom filters (Bloom 1970), each four
 * times the last. `mayHave` is never wrong when it says no; a wrong yes costs one look-up in the store. 16 bits and 8
 * probes an id: about 1 in 1,700 is wrong, summed over the chain about 1 in 1,000; past `maxBytes` the chain stops
 * growing and the share of wrong answers rises instead of the memory.
 */
export type IdFilter = {
  /** `id`: 16 bytes as latin1 text. */
  add(id: string): void;
  mayHave(id: string): boolean;
  readonly bytes: number;
};

const bitsPerId = 16;
const probes = 8;
const firstIds = 4_096;

type Layer = { readonly words: Uint32Array; readonly mask: number; readonly capacity: number; count: number };

const layerFor = (ids: number): Layer => {
  const bits = ids * bitsPerId;
  return { words: new Uint32Array(bits / 32), mask: bits - 1, capacity: ids, count: 0 };
};

export function createIdFilter(maxBytes = 64 << 20): IdFilter {
  const layers: Layer[] = [layerFor(firstIds)];
  let bytes = (firstIds * bitsPerId) / 8;
  /**
   * Two 32-bit hashes of 16 bytes that are mostly random already (UUIDs, keyed hashes), in one pass; the second stands
   * in `second`.
   */
  let second = 0;
  const hash = (id: string): number => {
    let one = 0x27d4eb2f;
    let two = 0x9e3779b9;
    for (let at = 0; at < id.length; at += 4) {
      const word =
        id.charCodeAt(at) |
        (id.charCodeAt(at + 1) << 8) |
        (id.charCodeAt(at + 2) << 16) |
        (id.charCodeAt(at + 3) << 24);
      one = Math.imul(one ^ word, 0x85ebca6b);
      one ^= one >>> 15;
      two = Math.imul(two ^ (word >>> 16) ^ (word << 16), 0xc2b2ae35);
      two ^= two >>> 13;
    }
    second = two | 1;
    return one ^ (two >>> 16);
  };
  const inLayer = (layer: Layer, one: number, two: number): boolean => {
    const { words, mask } = layer;
    for (let probe = 0, at = one; probe < probes; probe += 1, at = (at + two) | 0) {
      const bit = at & mask;
      if (((words[bit >>> 5] as number) & (1 << (bit & 31))) === 0) return false;
    }
    return true;
  };
  return {
    get bytes() {
      return bytes;
    },
    add: (id) => {
      let layer = layers.at(-1) as Layer;
      if (layer.count >= layer.capacity && bytes + (layer.capacity * 4 * bitsPerId) / 8 <= maxBytes) {
        layer = layerFor(layer.capacity * 4);
        bytes += layer.words.byteLength;
        layers.push(layer);
      }
      layer.count += 1;
      const one = hash(id);
      for (let probe = 0, at = one; probe < probes; probe += 1, at = (at + second) | 0) {
        const bit = at & layer.mask;
        layer.words[bit >>> 5] = (layer.words[bit >>> 5] as number) | (1 << (bit & 31));
      }
    },
    mayHave: (id) => {
      const one = hash(id);
      const two = second;
      // The newest layer holds most of the ids.
      for (let index = layers.length - 1; index >= 0; index -= 1)
        if (inLayer(layers[index] as Layer, one, two)) return true;
      return false;
    },
  };
}
