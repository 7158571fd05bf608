// Writes test/golden/assignment-vectors.json: 1,000 draws that implementations in other languages must match. `--check` exits 1 when it is stale.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';

const shapes = [
  (i) => `user-${i}`,
  (i) => `${i}`,
  (i) => `kunde-ß-${i}`,
  (i) => `顧客${i}`,
  (i) => `عميل-${i}`,
  (i) => `🙂-${i}-👩‍👩‍👧`,
  (i) => `e\u0301-${i}`,
  (i) => `name${i}@example.org`,
  (i) => createHash('md5').update(String(i)).digest('hex'),
  (i) => `${' '.repeat(i % 3)}padded-${i}`,
];
const vectors = Array.from({ length: 1000 }, (_, i) => {
  const [salt, layer, purpose, unit] = [
    `exp-${i % 7}`,
    i % 3 === 0 ? 'support' : '',
    i % 2 === 0 ? 'slot' : 'arm',
    shapes[i % shapes.length](i),
  ];
  const digest = createHash('sha256').update(`${salt}\u001f${layer}\u001f${purpose}\u001f${unit}`, 'utf8').digest();
  // First 53 bits of the digest, as a fraction.
  const fraction = Number(digest.readBigUInt64BE(0) >> 11n) / 2 ** 53;
  return {
    salt,
    layer,
    purpose,
    unit,
    fraction,
    bucket: Number(createHash('sha256').update(`user\u001f${unit}`, 'utf8').digest().readUInt16BE(0) >> 4),
  };
});
const text = `${JSON.stringify({ algorithm: 'fraction: SHA-256(salt 0x1f layer 0x1f purpose 0x1f unit), UTF-8, first 53 bits / 2^53; bucket: SHA-256("user" 0x1f unit), first 12 bits', vectors }, null, 1)}\n`;
const file = new URL('../../test/golden/assignment-vectors.json', import.meta.url);
if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== text) {
    console.error('test/golden/assignment-vectors.json is stale: run node infra/scripts/assignment-vectors.mjs');
    process.exit(1);
  }
} else writeFileSync(file, text);
