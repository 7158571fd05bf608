/** Labelled records, the values that must be gone, and how many of each class may stay. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { realData } from '../support/real-data.ts';

export type Labelled = {
  readonly set: string;
  readonly text: string;
  readonly spans: readonly {
    readonly start: number;
    readonly end: number;
    readonly type: string;
    readonly optional?: boolean;
  }[];
};

/** A labelled value; `gate`: the least recall of its class. */
export type Gold = { readonly value: string; readonly type: string; readonly set: string; readonly gate: number };

/** Least recall by class, and by set where sets differ: the first row that fits. What has no gate is not judged. */
const gates: readonly { readonly types: readonly string[]; readonly set?: string; readonly least: number }[] = [
  { types: ['EMAIL', 'IBAN'], least: 0.995 },
  { types: ['CREDIT_CARD', 'CRYPTO', 'SECRET_PRIVATE_KEY', 'SECRET_JWT'], least: 0.99 },
  { types: ['US_SSN'], least: 0.98 },
  { types: ['IP', 'MAC'], least: 0.97 },
  { types: ['PHONE', 'NATIONAL_ID'], set: 'pii-i18n-synth', least: 0.95 },
  { types: ['PHONE', 'DATE_OF_BIRTH'], least: 0.92 },
  { types: ['NATIONAL_ID'], least: 0.85 },
  { types: ['ADDRESS', 'ZIP'], least: 0.7 },
  { types: ['PERSON'], set: 'ner-wnut17', least: 0.5 },
  { types: ['PERSON'], set: 'ner-uner-ewt', least: 0.87 },
  { types: ['PERSON'], set: 'pii-i18n-synth', least: 0.75 },
  { types: ['PERSON'], least: 0.82 },
  { types: ['LOCATION'], set: 'ner-uner-ewt', least: 0.88 },
  { types: ['SECRET_KEY'], set: 'secrets-chat-synth', least: 0.97 },
  { types: ['SECRET_KEY'], least: 0.85 },
  { types: ['SECRET_CONNECTION', 'SECRET_URL'], least: 0.93 },
  { types: ['SECRET_GENERIC'], set: 'secrets-chat-synth', least: 0.95 },
  { types: ['SECRET_GENERIC'], least: 0.65 },
];
const gateOf = (set: string, type: string): number | undefined =>
  gates.find((gate) => gate.types.includes(type) && (gate.set ?? set) === set)?.least;

/** Of these not one value may stay. */
export const isSure = ({ gate }: Pick<Gold, 'gate'>): boolean => gate >= 0.99;

const sets = [
  'pii-presidio-research',
  'pii-presidio-recognizer-cases',
  'pii-i18n-synth',
  'secrets-chat-synth',
  'secrets-secretlint',
  'secrets-detect-secrets',
  'benign-lookalikes',
  'ner-uner-ewt',
  'ner-wnut17',
] as const;

/** Every record of every set; none where the data is not at hand. */
export function readLabelled(): readonly Labelled[] {
  const data = realData();
  if (data === undefined) return [];
  return sets.flatMap((set) =>
    readFileSync(join(data, 'redaction/dev', `${set}.jsonl`), 'utf8')
      .trim()
      .split('\n')
      .map((line) => ({ ...(JSON.parse(line) as Omit<Labelled, 'set'>), set })),
  );
}

/**
 * Values that also stand somewhere without a label prove nothing, wherever they are found: an unlabelled "Paris" may
 * stay.
 */
export function goldOf(all: readonly Labelled[]): readonly Gold[] {
  const gold = new Map<string, Gold & { labelled: number }>();
  for (const { set, text, spans } of all) {
    for (const { start, end, type, optional } of spans) {
      const value = text.slice(start, end).trim();
      const gate = gateOf(set, type);
      const known = gold.get(value);
      if (known !== undefined) known.labelled += 1;
      else if (gate !== undefined && optional !== true) gold.set(value, { value, type, set, gate, labelled: 1 });
    }
  }
  const whole = all
    .map(({ text }) => text)
    .join('\n')
    .toLowerCase();
  return [...gold.values()].filter(({ value, labelled }) => whole.split(value.toLowerCase()).length - 1 <= labelled);
}

const webText = new Set(['ner-uner-ewt', 'ner-wnut17']);
const isBySet = ({ type, set }: Gold): boolean =>
  webText.has(set) || type.startsWith('SECRET') || type === 'PERSON' || set === 'pii-i18n-synth';

/** What a value is counted under: its type, with its set where the gate depends on it. */
export function classOf(gold: Gold): string {
  if (isSure(gold)) return gold.type;
  if (gold.type === 'ADDRESS' || gold.type === 'ZIP') return 'ADDRESS + ZIP';
  return isBySet(gold) ? `${gold.type} ${gold.set}` : gold.type;
}

/**
 * A gate is a rate: of n values chance keeps up to two standard deviations more than its share. The sure classes get no
 * such grace.
 */
export const allowedOf = (gate: number, n: number): number =>
  isSure({ gate }) ? 0 : Math.floor((1 - gate) * n + 2 * Math.sqrt(n * gate * (1 - gate)) + 1e-9);
