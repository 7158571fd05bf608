/**
 * What the registry holds, kept on a compacted topic: subjects with their versions, ids of schemas, compatibility
 * levels. One write at a time, so that an id is given once; a write counts when the broker has acknowledged it.
 */
import { canRead, schemaProblem } from '../../../services/runtime/avro-codec.ts';
import { createKafka } from '../../../services/runtime/kafka-log.ts';

const topic = '_tripline_schemas';
export const levels = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const;
export type Level = (typeof levels)[number];

export type Registered = {
  readonly kind: 'schema';
  readonly subject: string;
  readonly version: number;
  readonly id: number;
  readonly schema: string;
};
type Configured = { readonly kind: 'config'; readonly subject: string; readonly level: Level };

/** Why `next` may not follow `previous` (oldest first) at a level; undefined when it may. */
export function incompatibility(level: Level, previous: readonly string[], next: string): string | undefined {
  const against = level.endsWith('_TRANSITIVE') ? previous : previous.slice(-1);
  for (const [index, old] of against.entries()) {
    if ((level.startsWith('BACKWARD') || level.startsWith('FULL')) && !canRead(next, old))
      return `readers of the new schema cannot read version ${previous.length - against.length + index + 1}`;
    if ((level.startsWith('FORWARD') || level.startsWith('FULL')) && !canRead(old, next))
      return `readers of version ${previous.length - against.length + index + 1} cannot read the new schema`;
  }
  return undefined;
}

/** An error as Confluent's registry answers it: an HTTP status and a code of its own. */
export class RegistryError extends Error {
  readonly status: number;
  readonly code: number;
  constructor(status: number, code: number, message: string) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export type Subjects = {
  names(): string[];
  /** Versions of a subject, oldest first; throws when there is no such subject. */
  versionsOf(subject: string): readonly Registered[];
  versionOf(subject: string, version: string): Registered;
  schemaOf(id: number): string | undefined;
  levelOf(subject: string): Level;
  setLevel(subject: string, level: Level): Promise<void>;
  /** The schema's id; it is registered under the subject when it is new there and compatible. */
  register(subject: string, schema: string): Promise<number>;
  close(): Promise<void>;
};

/** The schema in a request's body. */
export function schemaIn(body: unknown): string {
  const schema = (body as { schema?: unknown } | null)?.schema;
  const problem = typeof schema === 'string' ? schemaProblem(schema) : 'no schema in the body';
  if (problem !== undefined) throw new RegistryError(422, 42201, `Invalid Avro schema: ${problem}`);
  return schema as string;
}

/** Everything that was ever acknowledged, read back; later entries are added as they are written. */
function createState() {
  const ids = new Map<string, number>();
  const byId = new Map<number, string>();
  const subjects = new Map<string, Registered[]>();
  const config = new Map<string, Level>([['', 'FULL_TRANSITIVE']]);
  const take = (entry: Registered | Configured): void => {
    if (entry.kind === 'config') {
      config.set(entry.subject, entry.level);
      return;
    }
    ids.set(entry.schema, entry.id);
    byId.set(entry.id, entry.schema);
    const versions = subjects.get(entry.subject) ?? [];
    if (versions.some(({ version }) => version === entry.version)) return;
    versions.push(entry);
    subjects.set(entry.subject, versions);
  };
  return { ids, byId, subjects, config, take };
}

export async function openSubjects(brokers: string): Promise<Subjects> {
  const log = createKafka({ brokers, clientId: 'tripline-registry' });
  await log.createTopics([{ topic, partitions: 1, config: { 'cleanup.policy': 'compact' } }]);
  const { ids, byId, subjects, config, take } = createState();
  for (const record of await log.readToEnd(topic))
    if (record.value) take(JSON.parse(record.value.toString('utf8')) as Registered | Configured);
  const producer = await log.producer();
  let writing: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const turn = writing.then(run, run);
    writing = turn.catch(() => {});
    return turn;
  };
  const append = async (key: string, entry: Registered | Configured): Promise<void> => {
    await producer.send([{ topic, partition: 0, key, value: Buffer.from(JSON.stringify(entry)) }]);
    take(entry);
  };
  const versionsOf = (subject: string): readonly Registered[] => {
    const versions = subjects.get(subject);
    if (versions === undefined) throw new RegistryError(404, 40401, `Subject '${subject}' not found.`);
    return versions;
  };
  const levelOf = (subject: string): Level => config.get(subject) ?? config.get('') ?? 'FULL_TRANSITIVE';
  const registerNow = async (subject: string, schema: string): Promise<number> => {
    const versions = subjects.get(subject) ?? [];
    const same = versions.find((entry) => entry.schema === schema);
    if (same) return same.id;
    const earlier = versions.map((entry) => entry.schema);
    const problem = incompatibility(levelOf(subject), earlier, schema);
    if (problem !== undefined) {
      const what = `incompatible with an earlier schema for subject "${subject}"`;
      throw new RegistryError(409, 409, `Schema being registered is ${what}: ${problem}`);
    }
    const id = ids.get(schema) ?? byId.size + 1;
    const version = (versions.at(-1)?.version ?? 0) + 1;
    await append(`schema/${subject}/${version}`, { kind: 'schema', subject, version, id, schema });
    return id;
  };
  return {
    names: () => [...subjects.keys()].sort(),
    versionsOf,
    versionOf: (subject, version) => {
      const versions = versionsOf(subject);
      const found =
        version === 'latest' ? versions.at(-1) : versions.find((entry) => String(entry.version) === version);
      if (found === undefined) throw new RegistryError(404, 40402, `Version ${version} not found.`);
      return found;
    },
    schemaOf: (id) => byId.get(id),
    levelOf,
    setLevel: (subject, level) => inTurn(() => append(`config/${subject}`, { kind: 'config', subject, level })),
    register: (subject, schema) => inTurn(() => registerNow(subject, schema)),
    close: () => log.close(),
  };
}
