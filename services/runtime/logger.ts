import pino, { type Logger } from 'pino';

/** Fields that hold what people wrote, wherever one slips in: their values never reach a log. */
const never = ['prompt', 'response', 'text', 'value', 'key', 'password', 'authorization', 'attributes'];

/** JSON lines to a file. Messages name stages, topics, partitions, offsets and codes; payloads are not theirs to tell. */
export function createLogger(options: { name: string; file: string; level?: 'debug' | 'info' | 'warn' | 'error' }): Logger {
  return pino({ name: options.name, level: options.level ?? 'info', redact: { paths: [...never, ...never.map((field) => `*.${field}`)], censor: '[withheld]' } }, pino.destination({ dest: options.file, mkdir: true, sync: false }));
}
