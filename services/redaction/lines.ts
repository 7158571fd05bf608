import { type RedactionPolicy, redact } from './index.ts';

/**
 * `{"id","text"}` lines in, `{"id","text","spans"}` lines out, each as soon as it is there; a bad line is answered with
 * an error that does not quote it. `explain` shows type, tier and score of each finding, and never the value or the
 * text around it. Resolves with the number of bad lines.
 */
export async function redactLines(
  lines: AsyncIterable<string>,
  write: (line: string) => void,
  policy?: RedactionPolicy,
  explain = false,
): Promise<number> {
  let bad = 0;
  for await (const line of lines) {
    if (line.trim() === '') continue;
    const answer = redactLine(line, policy, explain);
    if ('error' in answer) bad += 1;
    write(`${JSON.stringify(answer)}\n`);
  }
  return bad;
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
  return {
    id,
    findings: spans.map(({ start, end, type, tier, score }) => ({
      start,
      end,
      type,
      tier,
      score: Math.round(score * 100) / 100,
    })),
  };
}
