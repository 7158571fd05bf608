/**
 * Everything that the README tells a newcomer to type, typed: its blocks are read from the file, so a block that
 * changes is a block that is run. Long because it is one newcomer's way in one folder: each step needs the one before.
 */
import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, test } from 'vitest';
import { until } from '../support/until.ts';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const fences = [...readme.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm)].map(([, kind = '', text = '']) => ({ kind, text }));
const blocks = (kind: string): string[] => fences.filter((fence) => fence.kind === kind).map(({ text }) => text);
const home = mkdtempSync(join(tmpdir(), 'tripline-newcomer-'));
afterAll(() => rmSync(home, { recursive: true, force: true }));
const bin = join(root, 'services/cli/bin.mjs');
const environment: NodeJS.ProcessEnv = {
  ...process.env,
  KAFKA_BROKERS: undefined,
  CLICKHOUSE_URL: undefined,
  SCHEMA_REGISTRY_URL: undefined,
  NO_COLOR: '1',
};

/** A line of the README, run in the newcomer's folder. `npx tripline` is the package's own bin. */
async function type(line: string, env: NodeJS.ProcessEnv = environment): Promise<string> {
  const words = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? '');
  expect(words.slice(0, 2)).toEqual(['npx', 'tripline']);
  try {
    return (
      await run(process.execPath, [bin, ...words.slice(2)], {
        cwd: home,
        env,
        maxBuffer: 1 << 28,
      })
    ).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${line}\n${stdout.slice(-2_000)}${stderr.slice(-2_000)}`);
  }
}

/** What lines of `export NAME=value` set. */
const exported = (lines: string): Record<string, string> =>
  Object.fromEntries([...lines.matchAll(/^export (\w+)=(.*)$/gm)].map(([, name = '', value = '']) => [name, value]));

describe('the README', () => {
  const [start = '', look = '', plan = '', own = ''] = blocks('console');
  test('up, apply, status', async () => {
    const yaml = blocks('yaml')[0] ?? '';
    writeFileSync(join(home, 'support-reply.yaml'), yaml);
    const [up = '', apply = '', status = ''] = start.trim().split('\n');
    expect(await type(up)).toMatch(/broker +ready[\s\S]*stages +ready/);
    expect(await type(apply)).toContain('support-reply: revision 1, phase 1, coverage 100%');
    expect(await type(apply)).toContain('nothing changed');
    const said = await until('a settled status', async () => type(status).catch(() => undefined));
    for (const word of ['broker', 'store', 'registry', 'redactor', 'joiner']) expect(said).toContain(word);
  });
  test('three lines in the app', async () => {
    const stack = JSON.parse(readFileSync(join(home, '.tripline/stack.json'), 'utf8')) as {
      brokers: string;
      registryUrl: string;
    };
    const folder = join(root, '.tripline', `readme-${process.pid}`);
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'app.mts');
    const [code = ''] = blocks('ts');
    // The table of experiments arrives in the background; a service that has just started assigns control until it is
    // there.
    const waiting = code.replace(
      'const arm =',
      `while (tripline.assign("support-reply", { unit: "probe" }).reason === "UNKNOWN")
        await new Promise((done) => setTimeout(done, 20));
      const arm =`,
    );
    writeFileSync(
      file,
      `${waiting}
      if (!(await tripline.flush())) throw new Error('not flushed');
      console.log(JSON.stringify({ variant: arm.variant, reason: arm.reason }));
      await tripline.close();
      `,
    );
    const { stdout } = await run(process.execPath, ['--import', 'tsx', file], {
      cwd: root,
      env: {
        ...environment,
        KAFKA_BROKERS: stack.brokers,
        SCHEMA_REGISTRY_URL: stack.registryUrl,
      } as NodeJS.ProcessEnv,
    });
    rmSync(folder, { recursive: true, force: true });
    expect(JSON.parse(stdout)).toMatchObject({ reason: 'SPLIT' });
  });
  test('stages in a process of their own, on addresses that are given', async () => {
    const [config = '', prepare = '', run = ''] = own.trim().split('\n');
    const given: NodeJS.ProcessEnv = {
      ...environment,
      ...exported(await type('npx tripline env')),
      TRIPLINE_TOPIC_PREFIX: 'own',
      TRIPLINE_DATABASE: 'own',
      TRIPLINE_PROBE_PORT: '0',
      TRIPLINE_PSEUDONYM_KEY: '0b'.repeat(32),
    };
    const settings = await type(config, given);
    expect(settings).toMatch(/redactor +TRIPLINE_PSEUDONYM_KEY +\*{8} +environment/);
    expect(settings).toMatch(/joiner +JOINER_FLUSH_MS +250 +default +250/);
    expect(await type(prepare, given)).toMatch(/create topic own\.unit\.v1: partitions=4[\s\S]*done: \d+ changes/);
    expect(await type(prepare, given)).toContain('everything is there');
    const [, , ...words] = run.split(' ');
    const stages = spawn(process.execPath, [bin, ...words], {
      cwd: home,
      env: given,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let said = '';
    stages.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await until(
      'every stage to be ready',
      () => said.includes('ready redactor linker joiner sink statistics bot'),
      90_000,
    );
    stages.kill('SIGTERM');
    await until('their drain', () => stages.exitCode !== null, 15_000);
    expect(stages.exitCode).toBe(0);
  });
  test('planning', async () => {
    const [foresee = '', simulate = ''] = plan.trim().split('\n');
    expect(await type(foresee)).toMatch(/nothing differs, 500 runs[\s\S]*refusal_rate +guardrail +\+20%/);
    expect(await type(simulate)).toContain('refusal_rate');
  });
  test('looking, killing, stopping', async () => {
    const [tail = '', results = '', decisions = '', sql = '', kill = '', down = ''] = look.trim().split('\n');
    expect(await type(tail)).toMatch(/inference +support-reply (control|canary) +gpt-4o-mini/);
    await until('a look', async () => (await type(results)).includes('refusal_rate') || undefined);
    expect(await type(decisions)).toContain('no decision yet');
    expect(
      await until('the row', async () => {
        const said = await type(sql);
        return /│ +1 │/.test(said) && said;
      }),
    ).toMatch(/control|canary/);
    expect(await type(kill)).toMatch(
      /revision 2, phase 1, coverage 0%, rolled_back \(kill, control record \d+: applied\)/,
    );
    expect(
      await until('the decision', async () => {
        const said = await type(decisions);
        return said.includes('KILL') && said;
      }),
    ).toContain('rollback');
    expect(JSON.parse(await type(`${decisions} --json`))).toMatchObject([{ action: 'rollback', note: 'INC-4211' }]);
    expect(await type(down)).toContain('stopped');
    await expect(type('npx tripline results support-reply')).rejects.toThrow(/E0503[\s\S]*hint/);
  });
  test('every other block is one of those that other suites run', () => {
    const rest = blocks('').map((block) => block.trim().split('\n')[0]);
    expect(rest).toEqual([
      'npm ci && npm run demo',
      expect.stringContaining('npx tripline replay'),
      expect.stringContaining('export KAFKA_BROKERS'),
    ]);
  });
});

describe('npm run demo', () => {
  const summary = join(home, 'demo.json');
  test('passes, names the broken metric, and its decision verifies to the byte', async () => {
    const keep = spawn(
      'npm',
      ['run', '--silent', 'demo', '--', '--keep', '--home', join(home, 'demo'), '--json', summary],
      { cwd: root, env: environment, stdio: ['ignore', 'pipe', 'inherit'], detached: true },
    );
    let said = '';
    keep.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await until(
      'the end of the story',
      () => said.includes('Still running') || (keep.exitCode !== null && 'ended'),
      110_000,
    );
    console.log(
      said
        .split('\n')
        .filter((line) => /ROLLBACK|obeyed|switched|PASS|FAIL|kept from|replaced/.test(line))
        .join('\n'),
    );
    const result = JSON.parse(readFileSync(summary, 'utf8')) as {
      demo: {
        ok: boolean;
        problems: string[];
        planted: number;
        replaced: Record<string, number>;
        decision_to_last_candidate_ms: number;
        decision_to_switch_ms: number[];
      };
      decisions: { decision_id: string; action: string }[];
      recount: string;
    };
    expect(result.demo.problems).toEqual([]);
    expect([result.demo.ok, result.recount]).toEqual([true, 'equal']);
    expect(Object.values(result.demo.replaced).reduce((sum, number) => sum + number, 0)).toBeGreaterThanOrEqual(
      result.demo.planted,
    );
    expect(Math.max(result.demo.decision_to_last_candidate_ms, ...result.demo.decision_to_switch_ms)).toBeLessThan(
      1_000,
    );
    const id = result.decisions.find(({ action }) => action === 'rollback')?.decision_id ?? '';
    const where = `--home ${join(home, 'demo')}`;
    expect(await type(`npx tripline verify ${id} ${where}`)).toMatch(/^same /);
    expect(await type(`npx tripline explain ${id} ${where}`)).toMatch(
      /counted +from configuration change prompt_version=reply-v2/,
    );
    // Planted values, as the desks wrote them down, against every clean table and topic.
    const planted = ['0', '1'].flatMap((app) =>
      readFileSync(join(home, `demo/story/desk-${app}.ndjson`), 'utf8')
        .trim()
        .split('\n')
        .flatMap((line) => (JSON.parse(line) as { planted?: string }).planted ?? []),
    );
    expect(planted.length).toBe(result.demo.planted);
    const rows = await type(
      `npx tripline sql "SELECT prompt, response, toString(attributes), error_type FROM inferences" --json ${where}`,
    );
    const topics = await type(`npx tripline tail --once --json ${where}`);
    for (const value of planted)
      expect([value, rows.includes(value), topics.includes(value)]).toEqual([value, false, false]);
    process.kill(-(keep.pid ?? 0), 'SIGINT');
    await until("the demo's end", () => keep.exitCode !== null || keep.signalCode !== null, 30_000);
  });
  test('interrupted half-way it leaves no process behind', async () => {
    const child = spawn(process.execPath, [bin, 'demo', '--home', join(home, 'half')], {
      cwd: root,
      env: environment,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await until('calls', () => said.includes('calls/s'), 60_000);
    child.kill('SIGINT');
    await until('its end', () => child.exitCode !== null, 30_000);
    expect(child.exitCode).toBe(130);
    const { stdout } = await run('ps', ['-eo', 'args']);
    expect(stdout.split('\n').filter((line) => line.includes(join(home, 'half')))).toEqual([]);
  });
});
