/**
 * docker-compose.yml, judged without an engine: agreement with what the tests run, nothing open, no default password.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

const text = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
const compose = z
  .object({
    services: z.record(
      z.string(),
      z
        .object({ image: z.string(), ports: z.array(z.string()), environment: z.record(z.string(), z.string()) })
        .loose(),
    ),
  })
  .parse(parse(text('docker-compose.yml')));

test('exact images, the broker of the version that the embedded stack runs', () => {
  for (const { image } of Object.values(compose.services)) expect(image).toMatch(/:\d+\.\d+/);
  const version = /<artifactId>kafka_2\.13<\/artifactId>\s*<version>([^<]+)</.exec(
    text('infra/embedded/kafka/pom.xml'),
  )?.[1];
  expect(compose.services['kafka']?.image).toBe(`apache/kafka:${version}`);
});
test('nothing listens beyond 127.0.0.1', () => {
  for (const { ports } of Object.values(compose.services))
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
});
test('credentials are asked for, and named in .env.example', () => {
  const asked = [...text('docker-compose.yml').matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name);
  expect(asked.length).toBe(2);
  for (const name of asked) expect(text('.env.example')).toMatch(new RegExp(`^${name}=$`, 'm'));
});
