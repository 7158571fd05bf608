/** Secrets that only their place gives away: manifests, unlisted prefixes, ids that open; and look-alikes. */
import { describe, expect, test } from 'vitest';
import { redact } from '../../../../services/redaction/index.ts';

const rest = (text: string): string => redact(text).text;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const letters = 'R8tKq2ZvN5xWb7Lm3PcYs9DfHj4GaUe6';
const made = (length: number, from = letters): string => from.repeat(Math.ceil(length / from.length)).slice(0, length);
const hex = (length: number): string => made(length, '7e0c9a41f3d852b6');

describe("a Kubernetes Secret's values", () => {
  const [hook, note] = [base64('swordfish and more'), base64('plain words')] as const;
  const manifest = (kind: string, value: string): string =>
    `apiVersion: v1\nkind: ${kind}\nmetadata:\n  name: web\ndata:\n  hook: ${value}\n`;
  const json = (kind: string, value: string) => ({
    apiVersion: 'v1',
    data: { hook: value },
    kind,
    metadata: { name: 'web' },
  });

  test('in YAML of several documents: the Secret alone', () => {
    const text = `${manifest('ConfigMap', note)}---\n${manifest('Secret', hook)}---\n${manifest('ConfigMap', note)}`;
    expect(rest(text)).toBe(text.replace(hook, '[SECRET_GENERIC]'));
  });
  test.each([
    ['kind behind its data', `data:\n  hook: ${hook}\nkind: Secret\n`],
    ['in quotes, with a comment', `kind: Secret\ndata:\n  hook: "${hook}" # of the bot\n`],
    ['in a block', `kind: Secret\ndata:\n  hook: |\n    ${hook}\n`],
    ['on one line', `kind: Secret\ndata: {hook: ${hook}, mode: "${note}"}\n`],
    ['with line ends of Windows', `kind: Secret\r\ndata:\r\n  hook: ${hook}\r\n`],
    ['as an item', `items:\n- data:\n    hook: ${hook}\n  kind: Secret\nkind: List\n`],
    ['as JSON', JSON.stringify(json('Secret', hook))],
    ['as JSON in a list', JSON.stringify({ kind: 'List', items: [json('ConfigMap', note), json('Secret', hook)] })],
    ['as JSON in a string', JSON.stringify({ out: JSON.stringify(json('Secret', hook)) })],
    ['as JSON in a sentence', `it says ${JSON.stringify(json('Secret', hook), null, 2)} now`],
    ['in an annotation', `last-applied: "${JSON.stringify(JSON.stringify(json('Secret', hook))).slice(1, -1)}"`],
    ['in a message', JSON.stringify({ role: 'user', content: manifest('Secret', hook) })],
  ])('%s', (_name, text) => {
    expect(rest(text)).not.toContain(hook);
    expect(rest(text)).toContain('[SECRET_GENERIC]');
  });
  test('stringData goes, whatever it looks like; the rest of the manifest stays', () => {
    const head = 'kind: Secret\nmetadata:\n  name: web\nstringData:\n';
    const data = '  hook: swordfish\n  conf: |\n    mode=swordfish\n';
    const clean = '  hook: [SECRET_GENERIC]\n  conf: |\n    [SECRET_GENERIC]\n';
    expect(rest(`${head}${data}type: Opaque\n`)).toBe(`${head}${clean}type: Opaque\n`);
  });
  test.each([
    manifest('ConfigMap', note),
    manifest('SealedSecret', 'see docs'),
    `rules:\n- kind: Secret\n  name: web\ndata:\n  note: ${note}\n`,
    `kind: Secret\ndata:\n  hook: {{ .Values.hook | b64enc }}\n  other: ''\n`,
    JSON.stringify(json('ConfigMap', note)),
    JSON.stringify({ kind: 'List', items: [{ kind: 'Secret' }, json('ConfigMap', note)] }),
    `a kind: Secret plans\ndata:\n  note: ${note}\n`,
  ])('stays: %s', (text) => expect(rest(text)).toBe(text));
});

describe('a prefix that no table has', () => {
  test.each([
    ['uak', made(43)],
    ['zetak', made(32)],
    ['qsk', hex(40)],
    ['acmetok', made(28)],
    ['zeon', made(40)],
    ['zeon_v2', made(48)],
  ])('%s_', (prefix, body) => expect(rest(`use ${prefix}_${body} from now on`)).toBe('use [SECRET_KEY] from now on'));
  test.each([
    `call_${made(40)}`,
    `req_${made(36)}`,
    `task_${made(40)}`,
    `zeon_${hex(40)}`,
    `zeon_${made(20)}`,
    `foo_${made(36)}`,
    'zeon_aBcDeFgHiJkLmNoPqRsTuVwXyZ0123456789',
    'should_ReturnHttp404WhenUserId12IsNotFoundInTable7',
  ])('stays: %s', (id) => expect(rest(`see ${id} for more`)).toBe(`see ${id} for more`));
});

describe('long hex behind the name of a caller, a key or a token', () => {
  const names = ['APPID', 'app_id', 'appId', 'api-id', 'client_id', 'developer_id', 'token_id', 'user_key', 'api_key'];
  test.each(names)('%s', (name) => {
    for (const length of [32, 40, 64]) {
      const value = hex(length);
      for (const text of [
        `https://a.example/x?q=Oslo&${name}=${value}`,
        `${name}: ${value}`,
        JSON.stringify({ [name]: value }),
      ])
        expect(rest(text), text).not.toContain(value);
    }
  });
  test.each(['trace_id', 'request_id', 'message_id', 'object_id', 'cache_key', 'hash_key', 'commit'])(
    'stays: %s',
    (name) => {
      for (const text of [
        `https://a.example/x?${name}=${hex(32)}`,
        `${name}=${hex(32)}`,
        JSON.stringify({ [name]: hex(32) }),
      ])
        expect(rest(text)).toBe(text);
    },
  );
  test.each(['app_id: 174829', 'client_id: 110bcd25-a55d-453a-8046-1297901ea002', 'appId=com.example.web'])(
    'stays: %s',
    (text) => expect(rest(text)).toBe(text),
  );
});

describe('a variable in front of a host is no address', () => {
  test.each([
    'https://ci:$DEPLOY_TOKEN@git.example.org/a/b.git',
    'https://$DEPLOY_TOKEN@git.example.org/a/b.git',
    `https://ci:$${'{TOKEN}'}@git.example.org/a.git`,
    'https://ci:%TOKEN%@git.example.org/a.git',
    'https://ci:<token>@git.example.org/a.git',
    'https://ci:$env:TOKEN@git.example.org/a.git',
    'https://x-access-token:DEPLOY_TOKEN@git.example.org/a.git',
    'ssh://git@git.example.org/a/b.git',
    'echo $USER@mail.example.org',
  ])('%s', (text) => expect(rest(text)).toBe(text));
  test.each(['write to $sam@example.org', 'smtp://sam@example.org', 'sam@example.org'])('goes: %s', (text) =>
    expect(rest(text)).toBe(text.replace('sam@example.org', '[EMAIL]')),
  );
});

describe("everybody's addresses stay where a setting names them", () => {
  test.each([
    'bind to 0.0.0.0',
    'listening on 0.0.0.0:8080',
    'uvicorn --host 0.0.0.0',
    'HOST=0.0.0.0',
    'allow 0.0.0.0/0 on port 443',
    'netmask 255.255.255.0',
    'docker run -p 127.0.0.1:80:80 web',
    'curl http://127.0.0.1/health',
    'listen [::]:80',
    'nameserver 9.9.9.9',
    'set the resolvers to 1.1.1.1 and 8.8.8.8',
    'ask 2606:4700:4700::1111',
  ])('%s', (text) => expect(rest(text)).toBe(text));
  test.each([
    ['Default 0.0.0.0', 'Default [IP]'],
    ['localhost 127.0.0.1', 'localhost [IP]'],
    ['listen 203.0.113.9:80', 'listen [IP]:80'],
    ['the host 198.51.100.7 asked 8.8.8.8', 'the host [IP] asked 8.8.8.8'],
  ])('goes: %s', (text, expected) => expect(rest(text)).toBe(expected));
});
