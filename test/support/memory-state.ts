/** The joiner's store in memory, as tests know it. */
export {
  createMemoryState,
  type FactRead,
  type MemoryState,
  readFacts,
  readStateRows,
  type StateRowRead,
} from '../../services/joiner/joiner-store.memory.ts';
