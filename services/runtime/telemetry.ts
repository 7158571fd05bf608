/**
 * Spans out by OTLP over gRPC when an endpoint is set, counters out for Prometheus always. Names: OpenTelemetry
 * semantic conventions for messaging; ours begin with tripline. No unit id, prompt or trace id is ever a label.
 */
import {
  context,
  type Meter,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Tracer,
} from '@opentelemetry/api';
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, NodeTracerProvider } from '@opentelemetry/sdk-trace-node';
import { type ClockSkew, worstSkews } from '../kernel/clock-skew.ts';
import { parseTraceparent } from '../kernel/trace-context.ts';
import { cleanMessage } from '../redaction/messages.ts';
import type { RunningStage, StageTracer } from './stage.ts';

export type Telemetry = {
  /** Absent without an endpoint: stages then spend nothing on spans. */
  readonly tracer: StageTracer | undefined;
  /** Counters of these stages from now on: in = forwarded + dropped + parked + waiting, each. */
  observe(stages: () => readonly Pick<RunningStage, 'name' | 'counts' | 'leftOut'>[]): void;
  /** One gauge, read when it is scraped; undefined: not known yet. */
  gauge(name: string, description: string, read: () => number | undefined): void;
  /** Prometheus text format. */
  metrics(): Promise<string>;
  flush(): Promise<void>;
  close(): Promise<void>;
};

const parentOf = (traceparent: string | undefined) => {
  const parsed = parseTraceparent(traceparent);
  if (parsed?.version !== '00') return undefined;
  return trace.setSpanContext(context.active(), {
    traceId: parsed.traceId,
    spanId: parsed.spanId,
    traceFlags: parsed.flags,
    isRemote: true,
  });
};
const cleanAttributes = (attributes: Readonly<Record<string, string | number>> = {}): Record<string, string | number> =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, typeof value === 'string' ? cleanMessage(value) : value]),
  );
const formatTraceparent = (span: Span): string => {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-0${traceFlags & TraceFlags.SAMPLED}`;
};

type Stages = Parameters<Telemetry['observe']>[0];

function observeRecords(meter: Meter, stages: Stages): void {
  const records = meter.createObservableCounter('tripline_records', {
    description: 'records by stage and verdict: in = forwarded + dropped + parked + waiting',
  });
  records.addCallback((result) => {
    for (const { name, counts } of stages()) {
      result.observe(counts.in, { stage: name, verdict: 'in' });
      result.observe(counts.forwarded, { stage: name, verdict: 'forwarded' });
      for (const [reason, number] of counts.dropped)
        result.observe(number, { stage: name, verdict: 'dropped', reason });
      for (const [code, number] of counts.parked)
        result.observe(number, { stage: name, verdict: 'parked', reason: code });
    }
  });
  const waiting = meter.createObservableGauge('tripline_records_waiting', {
    description: 'records taken in, without a verdict yet',
  });
  waiting.addCallback((result) => {
    for (const { name, counts } of stages()) result.observe(counts.waiting, { stage: name });
  });
}

function observeRedactions(meter: Meter, stages: Stages): void {
  const redactions = meter.createObservableCounter('tripline_redactions', {
    description: 'values taken out of texts, by type, tier and policy version',
  });
  redactions.addCallback((result) => {
    for (const { counts } of stages()) {
      for (const [kind, number] of counts.redactions ?? []) {
        const [type = '', tier = '', policyVersion = ''] = kind.split(' ');
        result.observe(number, { type, tier, policy_version: policyVersion });
      }
    }
  });
}

function observeLeftOut(meter: Meter, stages: Stages): void {
  const leftOut = meter.createObservableGauge('tripline_left_out', {
    description: 'what came to count for nothing in an experiment, by reason, in the partitions that the process has',
  });
  leftOut.addCallback((result) => {
    for (const { name, leftOut: reasons } of stages())
      for (const [reason, number] of reasons?.() ?? []) result.observe(number, { stage: name, reason });
  });
}

function observeClocks(meter: Meter, stages: Stages): void {
  const skew = meter.createObservableGauge('tripline_clock_skew_ms', {
    description: "lead of a service's clock over the broker's, of its worst host in the last minutes",
  });
  skew.addCallback((result) => {
    for (const { counts } of stages()) {
      const skews = counts.clocks?.skews ?? new Map<string, ClockSkew>();
      const newest = Math.max(...[...skews.values()].map(({ since }) => since));
      for (const { service, skewMs } of worstSkews(skews, newest)) result.observe(skewMs, { service });
    }
  });
  const clamped = meter.createObservableCounter('tripline_times_clamped', {
    description: 'events that would have happened after they arrived, by service',
  });
  clamped.addCallback((result) => {
    for (const { counts } of stages())
      for (const [service, number] of counts.clocks?.clamped ?? []) result.observe(number, { service });
  });
}

const stageTracer = (spans: Tracer): StageTracer => ({
  span: (name, { parent, attributes }) => {
    const span = spans.startSpan(
      name,
      { kind: SpanKind.CONSUMER, attributes: cleanAttributes(attributes) },
      parentOf(parent) ?? context.active(),
    );
    return {
      traceparent: formatTraceparent(span),
      end: () => span.end(),
      fail: (error) => {
        // The error's text could quote data: only its class is told.
        span.setAttribute('error.type', error instanceof Error ? error.name : 'unknown');
        span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      },
    };
  },
});

export function createTelemetry({ service, otlpEndpoint }: { service: string; otlpEndpoint?: string }): Telemetry {
  const resource = resourceFromAttributes({ 'service.name': service });
  const exporter = new PrometheusExporter({ preventServerStart: true });
  const meters = new MeterProvider({ resource, readers: [exporter] });
  const serializer = new PrometheusSerializer();
  const provider =
    otlpEndpoint === undefined
      ? undefined
      : new NodeTracerProvider({
          resource,
          spanProcessors: [
            new BatchSpanProcessor(new OTLPTraceExporter({ url: otlpEndpoint }), {
              scheduledDelayMillis: 200,
              maxQueueSize: 8_192,
            }),
          ],
        });
  const spans = provider?.getTracer('tripline');
  return {
    tracer: spans && stageTracer(spans),
    observe: (stages) => {
      const meter = meters.getMeter('tripline');
      observeRecords(meter, stages);
      observeRedactions(meter, stages);
      observeClocks(meter, stages);
      observeLeftOut(meter, stages);
    },
    gauge: (name, description, read) => {
      meters
        .getMeter('tripline')
        .createObservableGauge(name, { description })
        .addCallback((result) => {
          const value = read();
          if (value !== undefined) result.observe(value);
        });
    },
    metrics: async () => {
      const { resourceMetrics } = await exporter.collect();
      return serializer.serialize(resourceMetrics);
    },
    flush: async () => provider?.forceFlush(),
    close: async () => {
      await Promise.allSettled([provider?.shutdown(), meters.shutdown()]);
    },
  };
}
