import { describe, expect, test } from 'vitest';
import { cleanFields, cleanMessage } from '../../../services/redaction/messages.ts';

describe('what the system says of itself', () => {
  test.each([
    [
      'a quoted value',
      'Cannot parse input: expected a number before: ada@example.org',
      'Cannot parse input: expected a number before: [EMAIL]',
    ],
    [
      'a password in an address',
      'connect to http://bob:s3cr3tPass@db.internal:8123 failed',
      expect.not.stringContaining('s3cr3tPass'),
    ],
    ['a public address', 'refused by 81.2.69.142', 'refused by [IP]'],
    ['a card', 'bad row: 4111 1111 1111 1111', 'bad row: [CREDIT_CARD]'],
  ])('loses %s', (_what, said, clean) => expect(cleanMessage(said)).toEqual(clean));
  test.each([
    'connect ECONNREFUSED 127.0.0.1:9092',
    'waits for 10.0.0.12:9092 and 192.168.1.4',
    'bind [::1]:8123',
    'insert into inferences: code 62 SYNTAX_ERROR',
    'tripline.inference.v1/3: offset 123456789012',
    'kill-01ARZ3NDEKTSV4RRFFQ69G5FAV of 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    '/var/lib/tripline/logs/stages.log',
  ])('keeps what operators need: %s', (said) => expect(cleanMessage(said)).toBe(said));
  test('fields: nested, errors with their stacks, bytes as their number, nothing raw', () => {
    const clean = cleanFields({
      topic: 't',
      offset: 17,
      nested: { of: ['ada@example.org'] },
      err: new TypeError('for ada@example.org'),
      raw: Buffer.from('ada@example.org'),
      big: 12n,
      none: undefined,
      at: new Date(5),
    });
    expect(clean).toMatchObject({
      topic: 't',
      offset: 17,
      nested: { of: ['[EMAIL]'] },
      err: { type: 'TypeError', message: 'for [EMAIL]' },
      raw: '15 bytes',
      big: '12',
      at: '5',
    });
    expect(JSON.stringify(clean)).not.toContain('ada@');
  });
  test('what nests without end is cut, not walked', () => {
    const loop: Record<string, unknown> = { name: 'x' };
    loop['self'] = loop;
    expect(JSON.stringify(cleanFields(loop)).length).toBeLessThan(1_000);
  });
});
