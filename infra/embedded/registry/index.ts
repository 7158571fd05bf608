/**
 * The Confluent schema registry's REST subset over a compacted topic: subjects, versions, ids, compatibility, config.
 * An id is the position of a schema among those ever registered; the same schema has one id under every subject.
 * Answers a write only after the broker has acknowledged it. Compatibility is avsc's own judgement of whether a reader
 * resolves a writer.
 */
import Fastify from 'fastify';
import { canRead, schemaProblem } from '../../../services/runtime/avro-codec.ts';
import { createKafka } from '../../../services/runtime/kafka-log.ts';

const topic = '_tripline_schemas';
const levels = [
  'NONE',
  'BACKWARD',
  'BACKWARD_TRANSITIVE',
  'FORWARD',
  'FORWARD_TRANSITIVE',
  'FULL',
  'FULL_TRANSITIVE',
] as const;
type Level = (typeof levels)[number];

type Registered = {
  readonly kind: 'schema';
  readonly subject: string;
  readonly version: number;
  readonly id: number;
  readonly schema: string;
};
type Configured = { readonly kind: 'config'; readonly subject: string; readonly level: Level };

const contentType = 'application/vnd.schemaregistry.v1+json';

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

export async function startRegistry(options: {
  brokers: string;
  port: number;
}): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const log = createKafka({ brokers: options.brokers, clientId: 'tripline-registry' });
  await log.createTopics([{ topic, partitions: 1, config: { 'cleanup.policy': 'compact' } }]);
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
  for (const record of await log.readToEnd(topic))
    if (record.value) take(JSON.parse(record.value.toString('utf8')) as Registered | Configured);
  const producer = await log.producer();
  let writing: Promise<unknown> = Promise.resolve();
  /** One write at a time: an id is given once. */
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    const turn = writing.then(run, run);
    writing = turn.catch(() => {});
    return turn;
  };
  const append = async (key: string, entry: Registered | Configured): Promise<void> => {
    await producer.send([{ topic, partition: 0, key, value: Buffer.from(JSON.stringify(entry)) }]);
    take(entry);
  };

  const app = Fastify({ logger: false, bodyLimit: 1 << 20, forceCloseConnections: true });
  app.addContentTypeParser(
    [contentType, 'application/vnd.schemaregistry+json'],
    { parseAs: 'string' },
    (_request, body, done) => {
      try {
        done(null, JSON.parse(String(body)));
      } catch (error) {
        done(error as Error, undefined);
      }
    },
  );
  app.addHook('onSend', async (_request, reply) => {
    reply.header('content-type', contentType);
  });
  class RegistryError extends Error {
    readonly status: number;
    readonly code: number;
    constructor(status: number, code: number, message: string) {
      super(message);
      this.status = status;
      this.code = code;
    }
  }
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof RegistryError)
      return reply.status(error.status).send({ error_code: error.code, message: error.message });
    return reply
      .status(500)
      .send({ error_code: 50001, message: error instanceof Error ? error.message : 'registry error' });
  });
  const versionsOf = (subject: string): Registered[] => {
    const versions = subjects.get(subject);
    if (versions === undefined) throw new RegistryError(404, 40401, `Subject '${subject}' not found.`);
    return versions;
  };
  const versionOf = (subject: string, version: string): Registered => {
    const versions = versionsOf(subject);
    const found = version === 'latest' ? versions.at(-1) : versions.find((entry) => String(entry.version) === version);
    if (found === undefined) throw new RegistryError(404, 40402, `Version ${version} not found.`);
    return found;
  };
  const levelOf = (subject: string): Level => config.get(subject) ?? config.get('') ?? 'FULL_TRANSITIVE';
  const schemaIn = (body: unknown): string => {
    const schema = (body as { schema?: unknown } | null)?.schema;
    const problem = typeof schema === 'string' ? schemaProblem(schema) : 'no schema in the body';
    if (problem !== undefined) throw new RegistryError(422, 42201, `Invalid Avro schema: ${problem}`);
    return schema as string;
  };

  app.get('/subjects', async () => [...subjects.keys()].sort());
  app.get<{ Params: { subject: string } }>('/subjects/:subject/versions', async ({ params }) =>
    versionsOf(params.subject).map(({ version }) => version),
  );
  app.get<{ Params: { subject: string; version: string } }>(
    '/subjects/:subject/versions/:version',
    async ({ params }) => {
      const { subject, version, id, schema } = versionOf(params.subject, params.version);
      return { subject, version, id, schema };
    },
  );
  app.get<{ Params: { id: string } }>('/schemas/ids/:id', async ({ params }) => {
    const schema = byId.get(Number(params.id));
    if (schema === undefined) throw new RegistryError(404, 40403, `Schema ${params.id} not found.`);
    return { schema };
  });
  app.post<{ Params: { subject: string } }>('/subjects/:subject/versions', async ({ params, body }) =>
    inTurn(async () => {
      const schema = schemaIn(body);
      const versions = subjects.get(params.subject) ?? [];
      const same = versions.find((entry) => entry.schema === schema);
      if (same) return { id: same.id };
      const problem = incompatibility(
        levelOf(params.subject),
        versions.map((entry) => entry.schema),
        schema,
      );
      if (problem !== undefined)
        throw new RegistryError(
          409,
          409,
          `Schema being registered is incompatible with an earlier schema for subject "${params.subject}": ${problem}`,
        );
      const id = ids.get(schema) ?? byId.size + 1;
      const version = (versions.at(-1)?.version ?? 0) + 1;
      await append(`schema/${params.subject}/${version}`, {
        kind: 'schema',
        subject: params.subject,
        version,
        id,
        schema,
      });
      return { id };
    }),
  );
  app.post<{ Params: { subject: string; version: string } }>(
    '/compatibility/subjects/:subject/versions/:version',
    async ({ params, body }) => {
      const schema = schemaIn(body);
      const against =
        params.version === 'latest'
          ? versionsOf(params.subject).map((entry) => entry.schema)
          : [versionOf(params.subject, params.version).schema];
      const problem = incompatibility(levelOf(params.subject), against, schema);
      return { is_compatible: problem === undefined, ...(problem !== undefined && { messages: [problem] }) };
    },
  );
  app.get('/config', async () => ({ compatibilityLevel: levelOf('') }));
  app.get<{ Params: { subject: string } }>('/config/:subject', async ({ params }) => ({
    compatibilityLevel: levelOf(params.subject),
  }));
  const setLevel = async (subject: string, body: unknown): Promise<{ compatibility: Level }> => {
    const level = levels.find((name) => name === (body as { compatibility?: unknown } | null)?.compatibility);
    if (level === undefined)
      throw new RegistryError(422, 42203, `Invalid compatibility level. Valid values are ${levels.join(', ')}`);
    await inTurn(() => append(`config/${subject}`, { kind: 'config', subject, level }));
    return { compatibility: level };
  };
  app.put('/config', async ({ body }) => setLevel('', body));
  app.put<{ Params: { subject: string } }>('/config/:subject', async ({ params, body }) =>
    setLevel(params.subject, body),
  );

  const url = await app.listen({ port: options.port, host: '127.0.0.1' });
  return {
    url,
    stop: async () => {
      await app.close();
      await log.close();
    },
  };
}
