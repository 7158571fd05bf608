/** The joiner's store in memory, as tests know it. */
export { type FactRead, readFacts } from '../../services/joiner/fact-rows.ts';
export { createMemoryState, type MemoryState } from '../../services/joiner/joiner-store.memory.ts';
export { readStateRows, type StateRowRead } from '../../services/kernel/state/read-binary.ts';
