import pc from 'picocolors';
import { cleanMessage } from '../redaction/messages.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';

/** Colours only for a person: a terminal, and NO_COLOR not set. */
export const forPerson = process.stdout.isTTY === true && process.env['NO_COLOR'] === undefined;
export const paint = pc.createColors(forPerson);

export const print = (line = ''): void => void process.stdout.write(`${line}\n`);
export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));

/** Columns wide enough for their longest cell. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>(
    (all, row) => row.map((cell, column) => Math.max(all[column] ?? 0, cell.length)),
    [],
  );
  return rows
    .map((row) =>
      row
        .map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/**
 * An error as a person reads it: what, why, what to do. The exit code is 3 for what the caller got wrong, 2 for what is
 * broken.
 */
export function reportError(error: unknown): number {
  if (error instanceof PipelineError) {
    process.stderr.write(
      `${paint.red('error')} ${cleanMessage(error.message)}\n${error.hint === undefined ? '' : `${paint.dim('  cure:')} ${error.hint}\n`}`,
    );
    return error.code === 'CONFIG_INVALID' || error.code === 'EXPERIMENT_INVALID' || error.code === 'INPUT_UNREADABLE'
      ? 1
      : 2;
  }
  process.stderr.write(
    `${paint.red('error')} ${cleanMessage(error instanceof Error ? error.message : String(error))}\n`,
  );
  return 2;
}
