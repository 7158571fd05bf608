/**
 * Broken machinery, as opposed to odd data (which is a verdict). Every code has a stable number that messages and
 * documentation can point to; whether a retry may help belongs to the error, never to its message text.
 */
export const errorCodes = {
  CONFIG_INVALID: 'TRIPLINE-E0101',
  EXPERIMENT_INVALID: 'TRIPLINE-E0102',
  INPUT_UNREADABLE: 'TRIPLINE-E0103',
  BROKER_UNAVAILABLE: 'TRIPLINE-E0201',
  BROKER_REFUSED: 'TRIPLINE-E0202',
  LOG_GAP: 'TRIPLINE-E0203',
  LOG_CUT: 'TRIPLINE-E0204',
  STORE_UNAVAILABLE: 'TRIPLINE-E0301',
  STORE_REFUSED: 'TRIPLINE-E0302',
  ROWS_REFUSED: 'TRIPLINE-E0303',
  REGISTRY_UNAVAILABLE: 'TRIPLINE-E0401',
  SCHEMA_UNKNOWN: 'TRIPLINE-E0402',
  SCHEMA_INCOMPATIBLE: 'TRIPLINE-E0403',
  STACK_PREREQUISITE: 'TRIPLINE-E0501',
  STACK_START: 'TRIPLINE-E0502',
  STACK_NOT_RUNNING: 'TRIPLINE-E0503',
  STATE_CORRUPT: 'TRIPLINE-E0602',
  DECISION_UNKNOWN: 'TRIPLINE-E0701',
  VERIFY_MISMATCH: 'TRIPLINE-E0702',
  TIMEOUT: 'TRIPLINE-E0801',
} as const;

export type ErrorCode = keyof typeof errorCodes;

export class PipelineError extends Error {
  readonly code: ErrorCode;
  readonly retriable: boolean;
  /** What the reader can do about it. */
  readonly hint: string | undefined;

  constructor(code: ErrorCode, message: string, options: { retriable?: boolean; cause?: unknown; hint?: string } = {}) {
    super(`${errorCodes[code]} ${message}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PipelineError';
    this.code = code;
    this.retriable = options.retriable ?? false;
    this.hint = options.hint;
  }
}
