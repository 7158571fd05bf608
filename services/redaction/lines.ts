import { type RedactionPolicy, redact } from './index.ts';

/** `{"id","text"}` lines in, `{"id","text","spans"}` lines out, each as soon as it is there; a bad line is answered with an error that does not quote it. */
export async function redactLines(lines: AsyncIterable<string>, write: (line: string) => void, policy?: RedactionPolicy): Promise<void> {
  for await (const line of lines) {
    if (line.trim() === '') continue;
    write(`${JSON.stringify(redactLine(line, policy))}\n`);
  }
}

function redactLine(line: string, policy: RedactionPolicy | undefined): Record<string, unknown> {
  let input: { id?: unknown; text?: unknown };
  try {
    input = JSON.parse(line) as { id?: unknown; text?: unknown };
  } catch {
    return { id: null, error: 'TRIPLINE-E0103 the line is no JSON object' };
  }
  const id = input?.id ?? null;
  if (typeof input?.text !== 'string') return { id, error: 'TRIPLINE-E0103 "text" is no string' };
  try {
    return { id, ...redact(input.text, policy) };
  } catch {
    return { id, text: '[REDACTION_FAILED]', spans: [{ start: 0, end: input.text.length, type: 'REDACTION_FAILED' }] };
  }
}
