/**
 * What becomes due, by time: a binary min-heap of (epoch ms, 16-byte id) in typed arrays. A million open entries cost
 * 24 bytes each and no garbage; a heap of objects cost five times that. Ids travel as latin1 text.
 */
export type DueQueue = {
  readonly size: number;
  /** Time of the earliest; Infinity when there is none. */
  next(): number;
  push(at: number, id: string): void;
  /** Takes the earliest out and returns its id. Must not be empty. */
  pop(): string;
  /** Ids of everything earlier than `until`, without taking it out; an id may come twice. */
  before(until: number): string[];
};

const wordsPerId = 4;

export function createDueQueue(): DueQueue {
  let capacity = 1_024;
  let times = new Float64Array(capacity);
  let ids = new Uint32Array(capacity * wordsPerId);
  let size = 0;
  const grow = (): void => {
    capacity *= 2;
    const largerTimes = new Float64Array(capacity);
    largerTimes.set(times);
    times = largerTimes;
    const largerIds = new Uint32Array(capacity * wordsPerId);
    largerIds.set(ids);
    ids = largerIds;
  };
  const move = (from: number, to: number): void => {
    times[to] = times[from] as number;
    ids.copyWithin(to * wordsPerId, from * wordsPerId, (from + 1) * wordsPerId);
  };
  const idAt = (index: number): string => {
    let text = '';
    for (let word = 0; word < wordsPerId; word += 1) {
      const value = ids[index * wordsPerId + word] as number;
      text += String.fromCharCode(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24);
    }
    return text;
  };
  const setId = (index: number, id: string): void => {
    for (let word = 0; word < wordsPerId; word += 1) {
      const at = 4 * word;
      ids[index * wordsPerId + word] =
        (id.charCodeAt(at) |
          (id.charCodeAt(at + 1) << 8) |
          (id.charCodeAt(at + 2) << 16) |
          (id.charCodeAt(at + 3) << 24)) >>>
        0;
    }
  };
  return {
    get size() {
      return size;
    },
    next: () => (size === 0 ? Number.POSITIVE_INFINITY : (times[0] as number)),
    push: (at, id) => {
      if (size === capacity) grow();
      let index = size;
      size += 1;
      while (index > 0) {
        const parent = (index - 1) >> 1;
        if ((times[parent] as number) <= at) break;
        move(parent, index);
        index = parent;
      }
      times[index] = at;
      setId(index, id);
    },
    pop: () => {
      const top = idAt(0);
      size -= 1;
      if (size === 0) return top;
      const at = times[size] as number;
      const id = idAt(size);
      let index = 0;
      for (;;) {
        let child = 2 * index + 1;
        if (child >= size) break;
        if (child + 1 < size && (times[child + 1] as number) < (times[child] as number)) child += 1;
        if ((times[child] as number) >= at) break;
        move(child, index);
        index = child;
      }
      times[index] = at;
      setId(index, id);
      return top;
    },
    before: (until) => {
      const found: string[] = [];
      const open = [0];
      for (let index = open.pop(); index !== undefined; index = open.pop()) {
        if (index >= size || (times[index] as number) >= until) continue;
        found.push(idAt(index));
        open.push(2 * index + 1, 2 * index + 2);
      }
      return found;
    },
  };
}
