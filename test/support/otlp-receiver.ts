/** A real OTLP/gRPC receiver for spans: enough of protobuf to read ids, parent and name. */
import { Server, ServerCredentials } from '@grpc/grpc-js';

export type ReceivedSpan = {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
};

/** Fields of one message: number -> values (bytes for length-delimited fields). */
function fields(bytes: Buffer): Map<number, Buffer[]> {
  const found = new Map<number, Buffer[]>();
  let at = 0;
  const varint = (): number => {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const wire = tag & 7;
    if (wire === 0) varint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else {
      const length = varint();
      found.set(tag >>> 3, [...(found.get(tag >>> 3) ?? []), bytes.subarray(at, at + length)]);
      at += length;
    }
  }
  return found;
}

export async function startOtlpReceiver(): Promise<{
  readonly endpoint: string;
  readonly spans: ReceivedSpan[];
  close(): void;
}> {
  const spans: ReceivedSpan[] = [];
  const server = new Server();
  const raw = {
    requestSerialize: (value: Buffer) => value,
    requestDeserialize: (bytes: Buffer) => bytes,
    responseSerialize: (value: Buffer) => value,
    responseDeserialize: (bytes: Buffer) => bytes,
  };
  server.addService(
    {
      Export: {
        path: '/opentelemetry.proto.collector.trace.v1.TraceService/Export',
        requestStream: false,
        responseStream: false,
        ...raw,
      },
    },
    {
      Export: (call: { request: Buffer }, answer: (error: null, reply: Buffer) => void) => {
        // ExportTraceServiceRequest.resource_spans(1).scope_spans(2).spans(2): trace_id 1, span_id 2, parent_span_id 4,
        // name 5
        for (const resource of fields(call.request).get(1) ?? [])
          for (const scope of fields(resource).get(2) ?? [])
            for (const span of fields(scope).get(2) ?? []) {
              const read = fields(span);
              const hex = (field: number): string => read.get(field)?.[0]?.toString('hex') ?? '';
              spans.push({
                traceId: hex(1),
                spanId: hex(2),
                parentSpanId: hex(4),
                name: read.get(5)?.[0]?.toString('utf8') ?? '',
              });
            }
        answer(null, Buffer.alloc(0));
      },
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  return { endpoint: `http://127.0.0.1:${port}`, spans, close: () => server.forceShutdown() };
}
