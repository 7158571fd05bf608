/** Names in scripts without capitals (Chinese, Japanese, Korean, Arabic, Hebrew, Hindi, Thai). */
import type { Finding } from '../finding.ts';
import { uncasedPatterns } from './uncased-patterns.ts';

export function findUncased(text: string, out: Finding[]): void {
  for (const { needs, pattern, rank } of uncasedPatterns()) {
    if (!needs.test(text)) continue;
    for (const match of text.matchAll(pattern)) {
      const name = match.groups?.['name'] ?? '';
      const start = match.index + match[0].lastIndexOf(name);
      if (name !== '') out.push({ start, end: start + name.length, type: 'PERSON', rank });
    }
  }
}
