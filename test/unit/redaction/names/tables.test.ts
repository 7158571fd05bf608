import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { hashPhrase, hashWord } from '../../../../services/redaction/names/letters.ts';
import { flag, lexicon } from '../../../../services/redaction/names/lexicon.ts';
import { lexiconTable } from '../../../../services/redaction/names/lexicon-table.ts';
import { weightTable } from '../../../../services/redaction/names/weights.ts';
import { realData } from '../../../support/real-data.ts';

const folder = realData();

describe('tables', () => {
  test.each([
    ['Maria', flag.given],
    ['maría', flag.given],
    ['Smith', flag.surname],
    ['Kowalski', flag.surname],
    ['Tokyo', flag.city],
    ['München', 0],
    ['Munich', flag.city],
    ['Germany', flag.country],
    ['Deutschland', flag.country],
    ['the', flag.veryCommon],
    ['Monday', flag.capitalised],
    ['university', flag.organisation],
    ['herr', flag.title],
    ['Straße', flag.street],
    ['зовут', flag.introduces],
  ])('%s is known for what it is', (word, bit) => expect(lexicon().lookup(hashWord(word)) & bit).toBe(bit));
  test('phrases are found word by word', () => {
    expect(lexicon().lookup(hashPhrase('New York')) & (flag.city | flag.country)).not.toBe(0);
    expect(lexicon().lookup(hashWord('New')) & flag.phraseStart).toBe(flag.phraseStart);
  });
  test('a word nobody knows has no bits', () => expect(lexicon().lookup(hashWord('qzxvkwj'))).toBe(0));
  test('all tables together stay within 1.5 MB', () =>
    expect(lexiconTable.length + weightTable.length).toBeLessThanOrEqual(1_500_000));
  test.skipIf(folder === undefined)('the committed weights are what the script writes', { timeout: 300_000 }, () => {
    const root = fileURLToPath(new URL('../../../..', import.meta.url));
    const { status, stderr } = spawnSync(
      process.execPath,
      ['--import', 'tsx', 'infra/scripts/name-weights.ts', '--check'],
      { cwd: root, encoding: 'utf8', env: { ...process.env, TRIPLINE_TEST_DATA: folder } },
    );
    expect(`${status} ${status === 0 ? '' : stderr}`).toBe('0 ');
  });
});
