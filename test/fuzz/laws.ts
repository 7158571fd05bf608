/** What holds for every input of the redactor, however it was made. */
import { type RedactionPolicy, redact } from '../../services/redaction/index.ts';

const isJson = (text: string): boolean => {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
};

const areLines = (text: string): boolean =>
  text.includes('\n') && text.split(/\r?\n/).every((line) => line.trim() === '' || isJson(line));

/** The law that `text` breaks under `policy`, or undefined. */
export function brokenLaw(text: string, policy: RedactionPolicy): string | undefined {
  let once: ReturnType<typeof redact>;
  try {
    once = redact(text, policy);
  } catch {
    return 'never throws';
  }
  let end = 0;
  for (const span of once.spans) {
    if (span.type === 'REDACTION_FAILED') return 'nothing throws inside';
    if (span.start < end || span.end <= span.start || span.end > text.length)
      return 'spans lie inside the text, in order, apart';
    end = span.end;
  }
  if (once.spans.length === 0 && once.text !== text && !text.includes('[')) return 'a text without findings stays';
  const twice = redact(once.text, policy).text;
  if (twice !== once.text) return 'redacting twice is redacting once';
  if (
    isJson(text) &&
    !isJson(once.text) &&
    once.spans[0]?.tier !== 'budget' &&
    !/^\s*"\[[A-Z_:a-z0-9]+\]"\s*$/.test(once.text)
  )
    return 'JSON stays JSON';
  if (areLines(text) && !areLines(once.text) && once.spans[0]?.tier !== 'budget') return 'JSON by the line stays that';
  return undefined;
}
