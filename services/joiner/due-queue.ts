/**
 * What becomes due, by time: a binary min-heap of (Unix ms, 16-byte id) in typed arrays. A million open entries cost
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

/** Entry i: `times[i]` and four words of `ids` from `4 i` on. */
type Heap = { size: number; times: Float64Array; ids: Uint32Array };

function grow(heap: Heap): void {
  const capacity = heap.times.length * 2;
  const times = new Float64Array(capacity);
  times.set(heap.times);
  heap.times = times;
  const ids = new Uint32Array(capacity * wordsPerId);
  ids.set(heap.ids);
  heap.ids = ids;
}

function move({ times, ids }: Heap, from: number, to: number): void {
  times[to] = times[from] as number;
  ids.copyWithin(to * wordsPerId, from * wordsPerId, (from + 1) * wordsPerId);
}

function idAt({ ids }: Heap, index: number): string {
  let text = '';
  for (let word = 0; word < wordsPerId; word += 1) {
    const value = ids[index * wordsPerId + word] as number;
    text += String.fromCharCode(value & 255, (value >>> 8) & 255, (value >>> 16) & 255, value >>> 24);
  }
  return text;
}

function put({ times, ids }: Heap, index: number, at: number, id: string): void {
  times[index] = at;
  for (let word = 0; word < wordsPerId; word += 1) {
    const from = 4 * word;
    const low = id.charCodeAt(from) | (id.charCodeAt(from + 1) << 8);
    ids[index * wordsPerId + word] = (low | (id.charCodeAt(from + 2) << 16) | (id.charCodeAt(from + 3) << 24)) >>> 0;
  }
}

/** Where an entry of time `at` belongs, from the last leaf upwards. */
function siftUp(heap: Heap, at: number): number {
  let index = heap.size - 1;
  while (index > 0) {
    const parent = (index - 1) >> 1;
    if ((heap.times[parent] as number) <= at) break;
    move(heap, parent, index);
    index = parent;
  }
  return index;
}

/** Where an entry of time `at` belongs, from the root downwards. */
function siftDown(heap: Heap, at: number): number {
  const { times, size } = heap;
  let index = 0;
  for (;;) {
    let child = 2 * index + 1;
    if (child >= size) break;
    if (child + 1 < size && (times[child + 1] as number) < (times[child] as number)) child += 1;
    if ((times[child] as number) >= at) break;
    move(heap, child, index);
    index = child;
  }
  return index;
}

function idsBefore(heap: Heap, until: number): string[] {
  const found: string[] = [];
  const open = [0];
  for (let index = open.pop(); index !== undefined; index = open.pop()) {
    if (index >= heap.size || (heap.times[index] as number) >= until) continue;
    found.push(idAt(heap, index));
    open.push(2 * index + 1, 2 * index + 2);
  }
  return found;
}

export function createDueQueue(): DueQueue {
  const capacity = 1_024;
  const heap: Heap = { size: 0, times: new Float64Array(capacity), ids: new Uint32Array(capacity * wordsPerId) };
  return {
    get size() {
      return heap.size;
    },
    next: () => (heap.size === 0 ? Number.POSITIVE_INFINITY : (heap.times[0] as number)),
    push: (at, id) => {
      if (heap.size === heap.times.length) grow(heap);
      heap.size += 1;
      put(heap, siftUp(heap, at), at, id);
    },
    pop: () => {
      const top = idAt(heap, 0);
      heap.size -= 1;
      if (heap.size === 0) return top;
      const [at, id] = [heap.times[heap.size] as number, idAt(heap, heap.size)];
      put(heap, siftDown(heap, at), at, id);
      return top;
    },
    before: (until) => idsBefore(heap, until),
  };
}
