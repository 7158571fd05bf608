/** A schema registry in memory: the same schema has one id under every subject, as in a real one. */
import type { RegistryClient } from '../../services/runtime/registry-client.ts';

export function createMemoryRegistry(): RegistryClient {
  const schemas: string[] = [];
  return {
    register: async (_subject, avsc) => (schemas.includes(avsc) ? schemas.indexOf(avsc) : schemas.push(avsc) - 1) + 1,
    schemaById: async (id) => schemas[id - 1],
    subjects: async () => [],
    ping: async () => {},
  };
}
