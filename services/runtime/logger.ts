import pino, { type Logger, type LoggerOptions } from 'pino';
import { cleanFields, cleanMessage } from '../redaction/messages.ts';

/** Fields that hold what people wrote, wherever one slips in: their values never reach a log. */
const never = ['prompt', 'response', 'text', 'value', 'key', 'password', 'authorization', 'attributes'];

/**
 * JSON lines to a file, or to stderr. Messages name stages, topics, partitions, offsets and codes; payloads are not
 * theirs to tell. What slips into a message, a field or an error all the same is redacted.
 */
export function createLogger(options: {
  name: string;
  /** Absent: stderr. */
  file?: string;
  level?: 'debug' | 'info' | 'warn' | 'error';
}): Logger {
  const settings: LoggerOptions = {
    name: options.name,
    level: options.level ?? 'info',
    redact: { paths: [...never, ...never.map((field) => `*.${field}`)], censor: '[withheld]' },
    serializers: { err: (error: unknown) => error },
    hooks: {
      // Here and not in a formatter: pino takes an error's message for the line's before any formatter sees it.
      logMethod(args, method) {
        method.apply(
          this,
          args.map((arg: unknown) =>
            typeof arg === 'string'
              ? cleanMessage(arg)
              : typeof arg === 'object' && arg !== null
                ? cleanFields(arg instanceof Error ? { err: arg } : (arg as Record<string, unknown>))
                : arg,
          ) as typeof args,
        );
      },
    },
  };
  if (options.file === undefined) return pino(settings, pino.destination({ dest: 2, sync: true }));
  return pino(settings, pino.destination({ dest: options.file, mkdir: true, sync: false }));
}
