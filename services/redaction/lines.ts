import { type RedactionPolicy, redact } from './index.ts';

/**
 * `{"id","text"}` lines in, `{"id","text","spans"}` lines out, each as soon as it is there; a bad line is answered with an error that does not quote it.
 * `explain` shows type, tier and score of each finding, and never the value or the text around it.
 */
export async function redactLines(lines: AsyncIterable<string>, write: (line: string) => void, policy?: RedactionPolicy, explain = false): Promise<void> {
  for await (const line of lines) {
    if (line.trim() === '') continue;
    write(`${JSON.stringify(redactLine(line, policy, explain))}\n`);
  }
}

function redactLine(line: string, policy: RedactionPolicy | undefined, explain: boolean): Record<string, unknown> {
  let input: { id?: unknown; text?: unknown };
  try {
    input = JSON.parse(line) as { id?: unknown; text?: unknown };
  } catch {
    return { id: null, error: 'TRIPLINE-E0103 the line is no JSON object' };
  }
  const id = input?.id ?? null;
  if (typeof input?.text !== 'string') return { id, error: 'TRIPLINE-E0103 "text" is no string' };
  const { text, spans } = redact(input.text, policy);
  if (!explain) return { id, text, spans };
  return { id, findings: spans.map(({ start, end, type, tier, score }) => ({ start, end, type, tier, score: Math.round(score * 100) / 100 })) };
}
