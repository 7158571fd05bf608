import Fastify from 'fastify';

/** An answer of a probe: yes or no, and what a person should know about it. */
export type ProbeAnswer = { readonly ok: boolean } & Readonly<Record<string, unknown>>;

/** /healthz, /readyz, /metrics and /status of a process, on 127.0.0.1 unless told. `ready` makes real checks. */
export async function createProbeServer(options: {
  host?: string;
  /** 0: a free one; `url` says which. */
  port: number;
  ready: () => Promise<boolean | ProbeAnswer>;
  /** Absent: whoever answers is alive. */
  healthy?: () => ProbeAnswer;
  metrics: () => Promise<string>;
  stages: () => unknown;
}): Promise<{ readonly url: string; close(): Promise<void> }> {
  const app = Fastify({ logger: false, forceCloseConnections: true });
  app.get('/healthz', async (_request, reply) => {
    const answer = options.healthy?.() ?? { ok: true };
    return reply.status(answer.ok ? 200 : 503).send(answer);
  });
  app.get('/readyz', async (_request, reply) => {
    const said = await options.ready().catch(() => false);
    const answer = typeof said === 'boolean' ? { ok: said } : said;
    return reply.status(answer.ok ? 200 : 503).send(answer);
  });
  app.get('/metrics', async (_request, reply) => reply.type('text/plain; version=0.0.4').send(await options.metrics()));
  app.get('/status', async () => options.stages());
  const url = await app.listen({ port: options.port, host: options.host ?? '127.0.0.1' });
  return { url, close: () => app.close() };
}
