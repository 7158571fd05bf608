/** No renamed word comes back: `infra/lint/words.ts` lists them, and where each stays with its reason. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type Renamed, renamed, skipped } from '../../infra/lint/words.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const files = execFileSync('git', ['ls-files', '--', '*.ts', '*.mjs', '*.md', '*.sql', '*.avsc', '*.json', '*.yml'], {
  cwd: root,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .filter((file) => !skipped.some(({ path }) => path.test(file)))
  .map((file) => ({ file, lines: readFileSync(root + file, 'utf8').split('\n') }));

const isExcepted = ({ except }: Renamed, file: string, line: string): boolean =>
  except.some((exception) => {
    const isHere = exception.in?.some((part) => file.includes(part)) ?? true;
    return isHere && (exception.line?.test(line) ?? true);
  });
const hitsOf = (word: Renamed): string[] =>
  files
    .filter(({ file }) => word.only?.some((part) => file.startsWith(part)) ?? true)
    .flatMap(({ file, lines }) =>
      lines.flatMap((line, at) =>
        word.was.test(line) && !isExcepted(word, file, line) ? [`${file}:${at + 1} ${line.trim().slice(0, 100)}`] : [],
      ),
    );

describe('a renamed word', () => {
  test.each(renamed.map((word) => [String(word.was), word] as const))('%s', (_was, word) =>
    expect(hitsOf(word), `say ${word.is}`).toEqual([]),
  );
});

test('every exception says why', () => {
  const reasons = [...skipped, ...renamed.flatMap((word) => word.except)].map(({ why }) => why);
  expect(reasons.filter((why) => why.length < 4)).toEqual([]);
});
