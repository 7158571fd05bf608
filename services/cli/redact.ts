/**
 * `redact`: lines in, lines out; `--audit`: are values of a list anywhere past the redactor; `--rebuild`: the kept raw
 * events once more, under a newer policy. Lines need nothing but redaction itself, and load nothing else.
 */
import { createInterface } from 'node:readline';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { redactLines } from '../redaction/lines.ts';
import type { RedactionPolicy } from '../redaction/index.ts';

export type RedactFlags = {
  readonly home: string;
  readonly explain?: boolean;
  readonly policy?: string;
  readonly audit?: boolean;
  readonly values?: string;
  readonly rebuild?: boolean;
  readonly json?: boolean;
};

/** undefined: the built-in policy without keys, since neither a flag nor the environment names anything. */
async function policyFor(path: string | undefined): Promise<RedactionPolicy | undefined> {
  const named = ['TRIPLINE_REDACTION_POLICY', 'TRIPLINE_TOKEN_KEYS', 'TRIPLINE_TOKEN_KEYS_FILE'];
  if (path === undefined && !named.some((name) => process.env[name])) return undefined;
  return (await import('./addresses.ts')).redactionPolicy(path);
}

export async function redactVerb(flags: RedactFlags): Promise<number> {
  if (flags.audit && flags.rebuild)
    throw new PipelineError('CONFIG_INVALID', '--audit and --rebuild are two jobs', {
      hint: 'run one after the other',
    });
  if (flags.audit) return (await import('./redact-stored.ts')).audit(flags);
  if (flags.rebuild) return (await import('./redact-stored.ts')).rebuild(flags);
  const bad = await redactLines(
    createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY }),
    (line) => process.stdout.write(line),
    await policyFor(flags.policy),
    flags.explain === true,
  );
  return bad === 0 ? 0 : 1;
}
