/** The Confluent schema registry's REST subset that we use; any registry that speaks it will do. */
import { PipelineError } from '../kernel/pipeline-error.ts';

export type RegistryClient = {
  /** Id of the schema under the subject; the same schema registered again keeps its id. */
  register(subject: string, avsc: string): Promise<number>;
  /** undefined: the registry answered that it knows no such id. */
  schemaById(id: number): Promise<string | undefined>;
  subjects(): Promise<string[]>;
  ping(): Promise<void>;
};

/** What a registry answers for an id that it does not know, or that it takes for none. */
const absent: ReadonlySet<number> = new Set([400, 404, 422]);

const contentType = 'application/vnd.schemaregistry.v1+json';

export function createRegistryClient(options: {
  readonly url: string;
  readonly timeoutMs?: number;
  /** Ends what is still asked: a registry that says nothing keeps no process alive. */
  readonly signal?: AbortSignal;
}): RegistryClient {
  const base = options.url.replace(/\/$/, '');
  const call = async (
    method: 'GET' | 'POST',
    path: string,
    body?: unknown,
  ): Promise<{ status: number; json: Record<string, unknown> & unknown[] }> => {
    const limit = AbortSignal.timeout(options.timeoutMs ?? 10_000);
    let response: Response;
    try {
      response = await fetch(`${base}${path}`, {
        method,
        headers: { accept: contentType, ...(body !== undefined && { 'content-type': contentType }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: options.signal === undefined ? limit : AbortSignal.any([limit, options.signal]),
      });
    } catch (cause) {
      throw new PipelineError('REGISTRY_UNAVAILABLE', `schema registry: ${method} ${path} got no answer`, {
        retriable: true,
        cause,
        hint: 'check that the registry is running and SCHEMA_REGISTRY_URL is right',
      });
    }
    if (response.status >= 500)
      throw new PipelineError(
        'REGISTRY_UNAVAILABLE',
        `schema registry: ${method} ${path} answered ${response.status}`,
        { retriable: true },
      );
    // A refusal may come as a page of whatever stands before the registry.
    const json: unknown = await response.json().catch(() => ({}));
    return { status: response.status, json: json as Record<string, unknown> & unknown[] };
  };
  return {
    register: async (subject, avsc) => {
      const { status, json } = await call('POST', `/subjects/${encodeURIComponent(subject)}/versions`, {
        schema: avsc,
      });
      if (status === 200) return Number(json['id']);
      throw new PipelineError(
        'SCHEMA_INCOMPATIBLE',
        `schema registry refused ${subject}: ${String(json['message'] ?? status)}`,
        { hint: 'only add fields with a default; anything else is a new major version' },
      );
    },
    schemaById: async (id) => {
      const { status, json } = await call('GET', `/schemas/ids/${id}`);
      if (status === 200) return String(json['schema']);
      if (absent.has(status)) return undefined;
      throw new PipelineError('REGISTRY_UNAVAILABLE', `schema registry: id ${id} answered ${status}`, {
        retriable: true,
      });
    },
    subjects: async () => (await call('GET', '/subjects')).json as string[],
    ping: async () => {
      await call('GET', '/subjects');
    },
  };
}
