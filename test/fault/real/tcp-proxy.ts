/**
 * A TCP proxy between a stage and the store: passes, delays, cuts, answers in the store's place, or lets a request
 * through and swallows the reply, so that the writer cannot know what the engine has committed. It listens on 127.0.0.1
 * alone.
 */
import { connect, createServer, type Socket } from 'node:net';

export type ProxyMode =
  | { readonly kind: 'pass' }
  | { readonly kind: 'delay'; readonly ms: number }
  /** Connections are reset, new ones too. */
  | { readonly kind: 'cut' }
  /** Requests whose head matches reach the engine; the connection is reset when its answer begins. */
  | { readonly kind: 'swallow'; readonly request: RegExp }
  /** Requests whose head matches are answered with this status and exception code, the engine never sees them. */
  | { readonly kind: 'answer'; readonly request: RegExp; readonly status: number; readonly code: number };

export type TcpProxy = {
  readonly url: string;
  mode: ProxyMode;
  /** Replies that were swallowed, connections reset, requests answered here, so far. */
  readonly counts: { swallowed: number; reset: number; answered: number };
  close(): Promise<void>;
};

/** The engine's own words for an exception. */
const refusal = (status: number, code: number): string =>
  [
    `HTTP/1.1 ${status} Injected`,
    `X-ClickHouse-Exception-Code: ${code}`,
    'Connection: close',
    'Content-Type: text/plain',
    '',
    `Code: ${code}. DB::Exception: injected. (INJECTED)\n`,
  ].join('\r\n');

/** The beginning of a request, with its query as it was before it was encoded. */
const headOf = (chunk: Buffer): string =>
  decodeURIComponent(
    chunk
      .subarray(0, 600)
      .toString('latin1')
      .replaceAll('+', ' ')
      .replaceAll(/%(?![0-9a-fA-F]{2})/g, '%25'),
  );

export async function startProxy(target: string): Promise<TcpProxy> {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  const counts = { swallowed: 0, reset: 0, answered: 0 };
  const server = createServer((client) => {
    sockets.add(client);
    client.once('close', () => sockets.delete(client));
    client.on('error', () => {});
    if (proxy.mode.kind === 'cut') {
      counts.reset += 1;
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(Number(port), hostname);
    upstream.on('error', () => client.destroy());
    upstream.once('close', () => client.destroy());
    client.once('close', () => upstream.destroy());
    let doomed = false;
    const later = (run: () => void): void => {
      if (proxy.mode.kind === 'delay') setTimeout(run, proxy.mode.ms);
      else run();
    };
    client.on('data', (chunk: Buffer) => {
      const { mode } = proxy;
      if (mode.kind === 'cut') {
        counts.reset += 1;
        client.resetAndDestroy();
        return;
      }
      const head = mode.kind === 'swallow' || mode.kind === 'answer' ? headOf(chunk) : '';
      if (mode.kind === 'swallow' && mode.request.test(head)) doomed = true;
      if (mode.kind === 'answer' && mode.request.test(head)) {
        counts.answered += 1;
        client.end(refusal(mode.status, mode.code));
        upstream.destroy();
        return;
      }
      later(() => upstream.write(chunk));
    });
    upstream.on('data', (chunk: Buffer) => {
      if (doomed) {
        counts.swallowed += 1;
        client.resetAndDestroy();
        upstream.destroy();
        return;
      }
      if (!client.destroyed) client.write(chunk);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const proxy: TcpProxy = {
    url: `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`,
    mode: { kind: 'pass' },
    counts,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
  return proxy;
}
