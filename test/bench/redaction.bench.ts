/**
 * Speed of redaction in one process: `node --import tsx test/bench/redaction.bench.ts`, with the deterministic tiers and with names. Megabytes and
 * texts per second of its own CPU time, the best of several rounds, on texts with as much personal data as chats have (prose), as forms have
 * (dense), and 300-byte events of both; then what costs most: a megabyte of one piece over and over, and how long 16 KB events take at worst.
 */
import { defaultPolicy, redact } from '../../services/redaction/index.ts';

const prose = [
  'The customer asked why the invoice was charged twice, and the assistant explained the proration rule before it opened a ticket for the second line team.',
  'I bought the bicycle in spring and the brakes have never been right; two workshops looked at them, adjusted the cable and sent me home again without a word.',
  'Could you summarise the meeting notes from Tuesday and list the open questions, who owns them, and what we promised to deliver before the end of the quarter?',
  'The model answered in three languages, although the prompt asked for one, and the evaluation therefore counted the response as a failure of the format check.',
];
const dense = ['Please call me at +49 30 1234 5678 or write to ada@example.org about it.', 'My card is 4111 1111 1111 1111, it expires soon, the IBAN is DE89 3704 0044 0532 0130 00.', 'Patient number 57361040823, born on 12 March 1980, phone (415) 555-2671.', 'The server 192.168.17.4 was blocked, my address is 4711 Elm Street, ZIP 90210.'];
const corpus = (lines: readonly string[], times: number): readonly string[] => Array.from({ length: 256 }, (_, index) => Array.from({ length: times }, (_unused, offset) => `${lines[(index * 7 + offset * 3) % lines.length]}`).join(' '));
const secret = `{"role":"user","content":"the key is sk${'-'}${'Q7rT2vX9bN4mK8pL3sD6fG1hJ5kZ0wYc'.repeat(2)}"}`;
const rows = [
  ['prose', corpus(prose, 2), '40 MB/s', '10 MB/s'],
  ['dense', corpus(dense, 1), '10 MB/s', '-'],
  ['events', corpus([...prose, ...prose, ...prose, ...dense, secret], 2), '60,000/s', '30,000/s'],
] as const;
const cpuSeconds = (): number => (({ user, system }) => (user + system) / 1e6)(process.cpuUsage());

for (const names of [false, true]) {
  const policy = { ...defaultPolicy, names };
  for (const [name, texts, bar, namesBar] of rows) {
    const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0);
    let best = Number.POSITIVE_INFINITY;
    for (let round = 0; round < 8; round += 1) {
      const before = cpuSeconds();
      for (let count = 0; count < 25; count += 1) for (const text of texts) redact(text, policy);
      best = Math.min(best, (cpuSeconds() - before) / 25);
    }
    console.log(`${(names ? `${name}, names` : name).padEnd(14)} ${(bytes / 1e6 / best).toFixed(1).padStart(7)} MB/s ${Math.round(texts.length / best).toLocaleString('en-US').padStart(9)} texts/s at ${Math.round(bytes / texts.length)} bytes, bar ${names ? namesBar : bar}`);
  }
}

const pieces = ['A', '5', '@', ':', '.', '-', '&', '%40', '=40', '"', '{"a":', '[1,', 'eyJ', 'password: ', 'password=', 'token ', 'secret ', 'sk-', 'ghp_', '+1 ', '1.', 'a@', 'a@b.', '://a:b@', '-----BEGIN PRIVATE KEY-----', '-----END PRIVATE KEY-----', 'Authorization: Bearer ', 'cookie: a=', 'curl -u ', '4111 1111 1111 1111 ', '1234 ', 'DE89 ', 'a b ', '(at) ', ' dot ', 'born ', '1980-03-12 ', '٣', 'аb', '\u200b5', '\\u0040', 'Maria ', 'New York ', '12 Main ', '[EMAIL]'];
const costs = pieces.map((piece) => {
  const text = piece.repeat(Math.ceil(1_048_576 / piece.length));
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 3; round += 1) {
    const before = cpuSeconds();
    redact(text);
    best = Math.min(best, (cpuSeconds() - before) * 1_000);
  }
  return { piece, best };
});
costs.sort((one, other) => other.best - one.best);
console.log(`a megabyte of one piece, bar 100 ms each: ${costs.slice(0, 8).map(({ piece, best }) => `${JSON.stringify(piece)} ${best.toFixed(0)}`).join(', ')} ms and ${costs.length - 8} cheaper ones`);

const long = Array.from({ length: 2_000 }, (_, index) => {
  let text = '';
  for (let line = index; text.length < 16_384; line += 1) text += `${line % 9 === 0 ? dense[line % dense.length] : prose[line % prose.length]} `;
  return text.slice(0, 16_384);
});
for (const names of [false, true]) {
  const took = long.map((text) => {
    const before = cpuSeconds();
    redact(text, { ...defaultPolicy, names });
    return (cpuSeconds() - before) * 1_000;
  }).sort((one, other) => one - other);
  console.log(`16 KB events${names ? ', names' : ''}: median ${(took[took.length >> 1] ?? 0).toFixed(2)} ms, p99.9 ${(took[Math.floor(took.length * 0.999)] ?? 0).toFixed(2)} ms, bar 5 ms`);
}
