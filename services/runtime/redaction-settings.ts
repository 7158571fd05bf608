/**
 * The policy and the token keys that a process is told to use: files and environment in, one policy out. Contents of
 * keys are never quoted.
 */
import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { PipelineError } from '../kernel/pipeline-error.ts';
import { parsePolicy, parseTokenKeys, recheckJudge } from '../redaction/config.ts';
import { defaultPolicy, type RedactionPolicy, type TokenKeys } from '../redaction/policy.ts';

/** Settings of whoever redacts: the stage, the command line, the emitter's option. An empty one counts as not set. */
export const redactionSettings = z.object({
  TRIPLINE_REDACTION_POLICY: z.string().optional(), // path of a policy file (JSON); absent: the built-in policy
  TRIPLINE_TOKEN_KEYS: z.string().optional(), // kid:hex, newest first, separated by commas
  TRIPLINE_TOKEN_KEYS_FILE: z.string().optional(), // the same, one a line; # begins a remark
});
export type RedactionSettings = z.infer<typeof redactionSettings>;

function contents(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new PipelineError('CONFIG_INVALID', `${what}: ${path} cannot be read`, {
      cause,
      hint: 'correct the path, or let this process read the file',
    });
  }
}

function readTokenKeys({
  TRIPLINE_TOKEN_KEYS: inline,
  TRIPLINE_TOKEN_KEYS_FILE: file,
}: RedactionSettings): TokenKeys | undefined {
  if (inline && file)
    throw new PipelineError('CONFIG_INVALID', 'TRIPLINE_TOKEN_KEYS and TRIPLINE_TOKEN_KEYS_FILE are both set', {
      hint: 'keep one of them',
    });
  return parseTokenKeys(file ? contents(file, 'TRIPLINE_TOKEN_KEYS_FILE') : (inline ?? ''));
}

/**
 * `ownKeys`: used when the settings name none; without either, values become `[TYPE]` and tokens are not made. Throws
 * `CONFIG_INVALID`.
 */
export function readRedactionPolicy(settings: RedactionSettings, ownKeys?: TokenKeys): RedactionPolicy {
  const tokens = readTokenKeys(settings) ?? ownKeys;
  if (!settings.TRIPLINE_REDACTION_POLICY) return { ...defaultPolicy, ...(tokens && { tokens }) };
  const text = contents(settings.TRIPLINE_REDACTION_POLICY, 'redaction policy');
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new PipelineError('CONFIG_INVALID', `redaction policy: ${settings.TRIPLINE_REDACTION_POLICY} is no JSON`, {
      cause,
      hint: 'write one JSON object; services/redaction/README.md names its settings',
    });
  }
  const hasPatterns = /"(?:own|allow)"/.test(text);
  return parsePolicy(
    document,
    hasPatterns ? recheckJudge() : undefined,
    tokens,
    `redaction policy ${settings.TRIPLINE_REDACTION_POLICY}`,
  );
}
