import { expect, test } from 'vitest';
import { answerLine } from '../../../services/cli/answer-line.ts';

const told = (answer: Parameters<typeof answerLine>[2]['answer'], isBotThere = true) =>
  answerLine('exp', 'kill', { number: 7, answer, isBotThere });

test.each([
  ['applied', 'applied', 0],
  ['superseded', 'already-stopped', 0],
  ['superseded', 'another-revision', 1],
  ['refused', 'over', 1],
] as const)('a person reads what became of it: %s, %s, exit code %i', (result, code, exit) =>
  expect(told({ result, code, reason: 'revision 2, rolled_back' })).toEqual({
    line: `exp: revision 2, rolled_back (kill, control record 7: ${result})`,
    code: exit,
  }),
);
test('row 19: a kill that nobody has obeyed says so, and by whom', () => {
  expect(told(undefined, false)).toMatchObject({
    code: 1,
    line: expect.stringMatching(/not obeyed yet by the bot: none runs/),
  });
  expect(told(undefined)).toMatchObject({
    code: 1,
    line: expect.stringMatching(/not obeyed yet by the bot: it has not/),
  });
});
