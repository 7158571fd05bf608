/**
 * Speed of redaction in one process: `node --import tsx test/bench/redaction.bench.ts [--names]`. Megabytes and texts per second of its own CPU
 * time, on texts with as much personal data as chats have (prose), as forms have (dense), and 300-byte events of both. The texts are made
 * here; bars are the ones that the README names.
 */
import { defaultPolicy, redact } from '../../services/redaction/index.ts';

const policy = { ...defaultPolicy, names: process.argv.includes('--names') };
const prose = [
  'The customer asked why the invoice was charged twice, and the assistant explained the proration rule before it opened a ticket for the second line team.',
  'I bought the bicycle in spring and the brakes have never been right; two workshops looked at them, adjusted the cable and sent me home again without a word.',
  'Could you summarise the meeting notes from Tuesday and list the open questions, who owns them, and what we promised to deliver before the end of the quarter?',
  'The model answered in three languages, although the prompt asked for one, and the evaluation therefore counted the response as a failure of the format check.',
];
const dense = ['Please call me at +49 30 1234 5678 or write to ada@example.org about it.', 'My card is 4111 1111 1111 1111, it expires soon, the IBAN is DE89 3704 0044 0532 0130 00.', 'Patient number 57361040823, born on 12 March 1980, phone (415) 555-2671.', 'The server 192.168.17.4 was blocked, my address is 4711 Elm Street, ZIP 90210.'];
const corpus = (lines: readonly string[], times: number): readonly string[] => Array.from({ length: 256 }, (_, index) => Array.from({ length: times }, (_unused, offset) => `${lines[(index * 7 + offset * 3) % lines.length]}`).join(' '));
const rows = [
  ['prose', corpus(prose, 2), '40 MB/s'],
  ['dense', corpus(dense, 1), '10 MB/s'],
  ['events', corpus([...prose, ...prose, ...dense], 2), '60,000/s'],
] as const;

for (const [name, texts, bar] of rows) {
  const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  const run = (times: number): void => {
    for (let count = 0; count < times; count += 1) for (const text of texts) redact(text, policy);
  };
  run(60);
  const before = process.cpuUsage();
  const rounds = 200;
  run(rounds);
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1e6;
  console.log(`${name.padEnd(8)} ${((bytes * rounds) / 1e6 / seconds).toFixed(1).padStart(7)} MB/s ${Math.round((texts.length * rounds) / seconds).toLocaleString('en-US').padStart(9)} texts/s at ${Math.round(bytes / texts.length)} bytes, bar ${bar}`);
}
