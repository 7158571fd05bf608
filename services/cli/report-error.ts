/** In a file of its own: cleaning a message needs all of redaction, which a verb that goes well does not load. */
import { PipelineError } from '../kernel/pipeline-error.ts';
import { cleanMessage } from '../redaction/messages.ts';
import { paint } from './terminal.ts';

/**
 * An error as a person reads it: what, why, what to do. The exit code is 3 for what the caller got wrong, 2 for what is
 * broken.
 */
export function reportError(error: unknown): number {
  if (error instanceof PipelineError) {
    const hint = error.hint === undefined ? '' : `${paint.dim('  hint:')} ${error.hint}\n`;
    process.stderr.write(`${paint.red('error')} ${cleanMessage(error.message)}\n${hint}`);
    return error.code === 'CONFIG_INVALID' || error.code === 'EXPERIMENT_INVALID' || error.code === 'INPUT_UNREADABLE'
      ? 1
      : 2;
  }
  process.stderr.write(
    `${paint.red('error')} ${cleanMessage(error instanceof Error ? error.message : String(error))}\n`,
  );
  return 2;
}
