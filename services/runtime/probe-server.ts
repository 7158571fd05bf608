import Fastify from 'fastify';

/** /healthz, /readyz, /metrics and /status of a process, on 127.0.0.1. `ready` makes real checks. */
export async function createProbeServer(options: {
  port: number;
  ready: () => Promise<boolean>;
  metrics: () => Promise<string>;
  stages: () => unknown;
}): Promise<{ readonly url: string; close(): Promise<void> }> {
  const app = Fastify({ logger: false, forceCloseConnections: true });
  app.get('/healthz', async () => ({ ok: true }));
  app.get('/readyz', async (_request, reply) => {
    const ok = await options.ready().catch(() => false);
    return reply.status(ok ? 200 : 503).send({ ok });
  });
  app.get('/metrics', async (_request, reply) => reply.type('text/plain; version=0.0.4').send(await options.metrics()));
  app.get('/status', async () => options.stages());
  const url = await app.listen({ port: options.port, host: '127.0.0.1' });
  return { url, close: () => app.close() };
}
