import type { KafkaMessage, Message } from 'kafkajs';
import type { LogRecord } from './log.ts';

export const headerText = (headers: Message['headers']): Record<string, string> => {
  const text: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers ?? {})) {
    const first = Array.isArray(value) ? value[0] : value;
    if (first !== undefined) text[name] = first.toString();
  }
  return text;
};

/** What kafkajs hands over, as the port has it. */
export const toLogRecord = (topic: string, partition: number, offset: number, message: KafkaMessage): LogRecord => ({
  topic,
  partition,
  offset,
  timestamp: Number(message.timestamp),
  key: message.key,
  value: message.value,
  headers: headerText(message.headers),
});
