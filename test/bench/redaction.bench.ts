/**
 * Speed of redaction in one process: `npm run bench -- redaction`, or `node --import tsx
 * test/bench/redaction.bench.ts`. Every figure of its bars, with the deterministic tiers and with names too: megabytes
 * and texts a second on prose (as much personal data as chats have), dense texts (as forms have) and events of 300
 * bytes; events of 16 KB, median and p99.9; and a megabyte of one piece over and over, each piece against its bar. Own
 * texts always; where TRIPLINE_TEST_DATA is, real ones in the same three mixes. CPU time of this process, the best of
 * several rounds.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defaultPolicy, redact } from '../../services/redaction/index.ts';
import { realData } from '../support/real-data.ts';

const prose = [
  'The customer asked why the invoice was charged twice, and the assistant explained the proration ' +
    'rule before it opened a ticket for the second line team.',
  'I bought the bicycle in spring and the brakes have never been right; two workshops looked at them, ' +
    'adjusted the cable and sent me home again without a word.',
  'Could you summarise the meeting notes from Tuesday and list the open questions, who owns them, and ' +
    'what we promised to deliver before the end of the quarter?',
  'The model answered in three languages, although the prompt asked for one, and the evaluation ' +
    'therefore counted the response as a failure of the format check.',
];
const dense = [
  'Please call me at +49 30 1234 5678 or write to ada@example.org about it.',
  'My card is 4111 1111 1111 1111, it expires soon, the IBAN is DE89 3704 0044 0532 0130 00.',
  'Patient number 57361040823, born on 12 March 1980, phone (415) 555-2671.',
  'The server 192.168.17.4 was blocked, my address is 4711 Elm Street, ZIP 90210.',
];
const secret = `{"role":"user","content":"the key is sk${'-'}${'Q7rT2vX9bN4mK8pL3sD6fG1hJ5kZ0wYc'.repeat(2)}"}`;
const lines = (all: readonly string[], times: number): readonly string[] =>
  Array.from({ length: 256 }, (_, index) =>
    Array.from({ length: times }, (_unused, offset) => `${all[(index * 7 + offset * 3) % all.length]}`).join(' '),
  );

type Corpus = {
  readonly name: string;
  readonly texts: readonly string[];
  readonly unit: 'MB/s' | 'texts/s';
  readonly bar: number;
  readonly namesBar: number;
};
const corpora = (
  proseTexts: readonly string[],
  denseTexts: readonly string[],
  events: readonly string[],
  origin: string,
): readonly Corpus[] => [
  { name: `prose, ${origin}`, texts: proseTexts, unit: 'MB/s', bar: 40, namesBar: 10 },
  // The tier of names has no bar of its own on dense texts: that of its prose.
  { name: `dense, ${origin}`, texts: denseTexts, unit: 'MB/s', bar: 10, namesBar: 0 },
  { name: `300-byte events, ${origin}`, texts: events, unit: 'texts/s', bar: 60_000, namesBar: 30_000 },
];

/** Texts one after the other until an event of some 300 bytes is full. */
function eventsOf(texts: readonly string[]): readonly string[] {
  const events: string[] = [];
  let event = '';
  for (const text of texts) {
    event = event === '' ? text : `${event} ${text}`;
    if (event.length < 260) continue;
    events.push(event);
    event = '';
  }
  return events;
}

function realCorpora(): readonly Corpus[] {
  const folder = realData();
  const read = (file: string): readonly string[] =>
    readFileSync(join(folder as string, 'redaction/dev', file), 'utf8')
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { text: string }).text);
  if (folder === undefined || !existsSync(join(folder, 'redaction/dev'))) return [];
  const [web, forms] = [read('ner-uner-ewt.jsonl'), read('pii-presidio-research.jsonl')];
  const fours = Array.from({ length: Math.floor(web.length / 4) }, (_, index) =>
    web.slice(index * 4, index * 4 + 4).join(' '),
  );
  return corpora(
    fours,
    forms,
    eventsOf([...web, ...forms, ...read('secrets-chat-synth.jsonl'), ...read('benign-lookalikes.jsonl')]),
    'real',
  );
}

const cpuSeconds = (): number => (({ user, system }) => (user + system) / 1e6)(process.cpuUsage());
const verdict = (isMet: boolean): string => (isMet ? 'met' : 'MISSED');
const print = (name: string, figures: string, bar: string): void =>
  console.log(`${name.padEnd(34)} ${figures.padEnd(54)} ${bar}`);

const sets = [
  ...corpora(lines(prose, 2), lines(dense, 1), lines([...prose, ...prose, ...prose, ...dense, secret], 2), 'own'),
  ...realCorpora(),
];
for (const names of [false, true]) {
  const policy = { ...defaultPolicy, names };
  for (const { name, texts, unit, bar, namesBar } of sets) {
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    const times = Math.ceil(1e6 / bytes);
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 12; round += 1) {
      const before = cpuSeconds();
      for (let count = 0; count < times; count += 1) for (const text of texts) redact(text, policy);
      best = Math.min(best, (cpuSeconds() - before) / times);
    }
    const [rate, least] = [unit === 'MB/s' ? bytes / 1e6 / best : texts.length / best, names ? namesBar : bar];
    const textsPerSecond = Math.round(texts.length / best).toLocaleString('en-US');
    const textBytes = Math.round(bytes / texts.length);
    print(
      `${name}${names ? ', names' : ''}`,
      `${(bytes / 1e6 / best).toFixed(1)} MB/s, ${textsPerSecond} texts/s at ${textBytes} bytes`,
      least === 0 ? '' : `bar ${least.toLocaleString('en-US')} ${unit}: ${verdict(rate >= least)}`,
    );
  }
}

/**
 * Nine lines in ten of prose: what a long prompt with some personal data is. The first 300 only warm the process up.
 */
const long = Array.from({ length: 3_300 }, (_, index) => {
  let text = '';
  for (let line = index; text.length < 16_384; line += 1)
    text += `${line % 9 === 0 ? dense[line % dense.length] : prose[line % prose.length]} `;
  return text.slice(0, 16_384);
});
for (const names of [false, true]) {
  const policy = { ...defaultPolicy, names };
  const took = long
    .map((text) => {
      const before = cpuSeconds();
      redact(text, policy);
      return (cpuSeconds() - before) * 1_000;
    })
    .slice(300)
    .sort((one, other) => one - other);
  const worst = took[Math.floor(took.length * 0.999)] ?? 0;
  print(
    `16 KB events${names ? ', names' : ''}`,
    `median ${(took[took.length >> 1] ?? 0).toFixed(2)} ms, p99.9 ${worst.toFixed(2)} ms`,
    `bar p99.9 5 ms: ${verdict(worst <= 5)}`,
  );
}

/** One character, nested JSON, trigger literals in turns, long tokens, names, and scripts that are folded. */
const pieces = [
  'A',
  '5',
  '@',
  ':',
  '.',
  '-',
  '&',
  '%40',
  '=40',
  '"',
  '\\',
  '{"a":',
  '[1,',
  '["x",',
  '{"a":"b"},',
  'eyJ',
  'password: ',
  'password=',
  'token ',
  'secret ',
  'sk-',
  'ghp_',
  '+1 ',
  '1.',
  '1 2-',
  'a1 ',
  'a@',
  'ab@',
  'a@b.',
  '://a:b@',
  '-----BEGIN PRIVATE KEY-----',
  '-----END PRIVATE KEY-----',
  'Authorization: Bearer ',
  'cookie: a=',
  'curl -u ',
  '4111 1111 1111 1111 ',
  '1234 ',
  'DE89 ',
  'a b ',
  'ab cd Ef ',
  '(at) ',
  ' dot ',
  'born ',
  '1980-03-12 ',
  '٣',
  'аb',
  'é',
  '日',
  'ب',
  '\u200b5',
  '\\u0040',
  'Maria ',
  'Mr. ',
  'A.',
  'my name is ',
  'New York ',
  '12 Main ',
  'ul. ',
  '[EMAIL]',
];
const mostMs = 100;
const costs = pieces
  .map((piece) => {
    const text = piece.repeat(Math.ceil(1_048_576 / piece.length));
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 3; round += 1) {
      const before = cpuSeconds();
      redact(text);
      best = Math.min(best, (cpuSeconds() - before) * 1_000);
    }
    return { piece, best };
  })
  .sort((one, other) => other.best - one.best);
for (const { piece, best } of costs)
  print(`1 MB of ${JSON.stringify(piece)}`, `${best.toFixed(0)} ms`, `bar ${mostMs} ms: ${verdict(best <= mostMs)}`);
