/**
 * The Confluent schema registry's REST subset over a compacted topic: subjects, versions, ids, compatibility, config.
 * An id is the position of a schema among those ever registered; the same schema has one id under every subject.
 * Answers a write only after the broker has acknowledged it. Compatibility is avsc's own judgement of whether a reader
 * resolves a writer.
 */
import Fastify, { type FastifyInstance } from 'fastify';
import {
  incompatibility,
  type Level,
  levels,
  openSubjects,
  RegistryError,
  schemaIn,
  type Subjects,
} from './subjects.ts';

const contentType = 'application/vnd.schemaregistry.v1+json';

/** JSON of the registry's own content types in and out, errors as Confluent's registry answers them. */
function createApp(): FastifyInstance {
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
  app.setErrorHandler((error, _request, reply) => {
    if (error instanceof RegistryError)
      return reply.status(error.status).send({ error_code: error.code, message: error.message });
    const message = error instanceof Error ? error.message : 'registry error';
    return reply.status(500).send({ error_code: 50001, message });
  });
  return app;
}

type OfSubject = { Params: { subject: string } };
type OfVersion = { Params: { subject: string; version: string } };

function serveSubjects(app: FastifyInstance, subjects: Subjects): void {
  app.get('/subjects', async () => subjects.names());
  app.get<OfSubject>('/subjects/:subject/versions', async ({ params }) =>
    subjects.versionsOf(params.subject).map(({ version }) => version),
  );
  app.get<OfVersion>('/subjects/:subject/versions/:version', async ({ params }) => {
    const { subject, version, id, schema } = subjects.versionOf(params.subject, params.version);
    return { subject, version, id, schema };
  });
  app.get<{ Params: { id: string } }>('/schemas/ids/:id', async ({ params }) => {
    const schema = subjects.schemaOf(Number(params.id));
    if (schema === undefined) throw new RegistryError(404, 40403, `Schema ${params.id} not found.`);
    return { schema };
  });
  app.post<OfSubject>('/subjects/:subject/versions', async ({ params, body }) => ({
    id: await subjects.register(params.subject, schemaIn(body)),
  }));
}

function serveCompatibility(app: FastifyInstance, subjects: Subjects): void {
  app.post<OfVersion>('/compatibility/subjects/:subject/versions/:version', async ({ params, body }) => {
    const schema = schemaIn(body);
    const against =
      params.version === 'latest'
        ? subjects.versionsOf(params.subject).map((entry) => entry.schema)
        : [subjects.versionOf(params.subject, params.version).schema];
    const problem = incompatibility(subjects.levelOf(params.subject), against, schema);
    return { is_compatible: problem === undefined, ...(problem !== undefined && { messages: [problem] }) };
  });
  const setLevel = async (subject: string, body: unknown): Promise<{ compatibility: Level }> => {
    const level = levels.find((name) => name === (body as { compatibility?: unknown } | null)?.compatibility);
    if (level === undefined)
      throw new RegistryError(422, 42203, `Invalid compatibility level. Valid values are ${levels.join(', ')}`);
    await subjects.setLevel(subject, level);
    return { compatibility: level };
  };
  app.get('/config', async () => ({ compatibilityLevel: subjects.levelOf('') }));
  app.get<OfSubject>('/config/:subject', async ({ params }) => ({
    compatibilityLevel: subjects.levelOf(params.subject),
  }));
  app.put('/config', async ({ body }) => setLevel('', body));
  app.put<OfSubject>('/config/:subject', async ({ params, body }) => setLevel(params.subject, body));
}

export async function startRegistry(options: {
  brokers: string;
  port: number;
}): Promise<{ readonly url: string; stop(): Promise<void> }> {
  const subjects = await openSubjects(options.brokers);
  const app = createApp();
  serveSubjects(app, subjects);
  serveCompatibility(app, subjects);
  const url = await app.listen({ port: options.port, host: '127.0.0.1' });
  return {
    url,
    stop: async () => {
      await app.close();
      await subjects.close();
    },
  };
}
