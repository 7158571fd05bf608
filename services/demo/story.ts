/**
 * The demo's story: a support desk with a 20% canary whose prompt silently changes on Tuesday at 10:00. Everything is
 * drawn from a seed: who writes when, what they paste into their tickets (invented personal data and keys), what the
 * model does, what becomes of the ticket.
 */
import type { EpochMs } from '../kernel/time.ts';

export const storyStart: EpochMs = Date.parse('2026-11-16T06:00:00Z'); // a Monday
export const storyOnset: EpochMs = Date.parse('2026-11-17T10:00:00Z');
export const storyEnd: EpochMs = Date.parse('2026-11-18T06:00:00Z');
export const storyExperimentId = 'support-reply';

export const storyExperiment = `# The demo's experiment: is the candidate's reply as good as what we have?
version: 1
experiment:
  id: support-reply
  unit: user
  arms:
    - { id: control, role: control, weight: 80, config: { model: desk-small, prompt_version: reply-v1 } }
    - { id: canary, weight: 20, config: { model: desk-small, prompt_version: reply-v1 } }
  analysis: { alpha_harm: 0.05, alpha_win: 0.05, alpha_srm: 0.001, restart_every: 6h, horizon: 14d, freshness: 6h }
  metrics:
    - { id: refusal_rate, role: guardrail, numerator: refusals, denominator: requests, better: lower,
        window: 1h, harm: +50%, baseline: { mean: 0.08, sd: 0.26 }, cap: 1 }
    - { id: cost_per_request, role: guardrail, numerator: cost_nano_usd, denominator: requests, better: lower,
        window: 1h, harm: +20%, baseline: { mean: 900000, sd: 350000 }, cap: 3500000 }
    - { id: error_rate, role: guardrail, numerator: errors, denominator: requests, better: lower,
        window: 1h, harm: +0.02, baseline: { mean: 0.01, sd: 0.1 }, cap: 1 }
    - { id: latency_mean, role: signal, numerator: latency_ms, denominator: requests, better: lower,
        window: 1h, harm: +20%, baseline: { mean: 1400, sd: 600 }, cap: 6000 }
    - { id: reopen_rate, role: goal, numerator: any(ticket_reopened), denominator: any(ticket_resolved), better: lower,
        window: 12h, harm: +0.05, baseline: { mean: 0.06, sd: 0.23 }, cap: 1 }
`;

/** Metrics that really break on Tuesday. */
export const brokenMetrics: readonly string[] = ['refusal_rate', 'cost_per_request'];

export type Random = () => number;
/** mulberry32: small, seeded, good enough for a story. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
const pick = <T>(random: Random, items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
const digits = (random: Random, count: number): string =>
  Array.from({ length: count }, () => Math.floor(random() * 10)).join('');
const letters = (random: Random, count: number, alphabet: string): string =>
  Array.from({ length: count }, () => alphabet[Math.floor(random() * alphabet.length)]).join('');
const alnum = 'ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789';

function withLuhn(prefix: string, random: Random): string {
  const body = prefix + digits(random, 15 - prefix.length);
  let sum = 0;
  for (let index = 0; index < body.length; index += 1) {
    const digit = Number(body[body.length - 1 - index]);
    sum += index % 2 === 0 ? (digit > 4 ? digit * 2 - 9 : digit * 2) : digit;
  }
  return body + String((10 - (sum % 10)) % 10);
}

/** What people paste: each with the value that must be found nowhere past the redactor. */
const planted: readonly ((random: Random) => { readonly text: string; readonly value: string })[] = [
  (random) => {
    const first = pick(random, ['ada', 'grace', 'linus', 'edsger', 'barbara']);
    const value = `${first}.${letters(random, 6, 'abcdefghijkmnop')}${digits(random, 3)}@example.org`;
    return { text: `You can reach me at ${value}.`, value };
  },
  (random) => {
    const card = withLuhn(pick(random, ['4', '51', '55']), random);
    const value = card.replaceAll(/(\d{4})(?=\d)/g, '$1 ');
    return { text: `I paid with card ${value}, was it charged twice?`, value };
  },
  (random) => {
    const value = `+49 30 ${digits(random, 4)} ${digits(random, 4)}`;
    return { text: `Please call me on ${value} after five.`, value };
  },
  (random) => {
    const value = `sk-proj-${letters(random, 48, alnum)}7`;
    return { text: `Our integration uses the key ${value} and it stopped working.`, value };
  },
  (random) => {
    const value = `ghp_${letters(random, 35, alnum)}4`;
    return { text: `The deploy script has token ${value} in it.`, value };
  },
  (random) => {
    const value = `${letters(random, 8, alnum)}!${digits(random, 4)}Zq`;
    return { text: `My password: ${value}`, value };
  },
  (random) => {
    const value = `10.${Math.floor(random() * 200)}.${Math.floor(random() * 200)}.${1 + Math.floor(random() * 200)}`;
    return { text: `The router at ${value} does not answer.`, value };
  },
];

const openings = [
  'Hello, my order has not arrived yet.',
  'The app keeps signing me out.',
  'I would like a refund for last month.',
  'How do I change the plan of my team?',
  'The export is missing half of the rows.',
  'Is there a way to pause my subscription?',
  'My invoice shows the wrong address.',
  'The new dashboard is slow on my laptop.',
];
const replies = [
  'Thanks for writing in. I have checked your account and set this right.',
  'I am sorry about the trouble. Here is what you can do next.',
  'Good question: you will find that under settings, then billing.',
  'I have opened a case for this and will come back to you today.',
];
const refusals = ['I am sorry, but I cannot help with that request.'];

export type StoryCall = {
  readonly user: string;
  readonly org: string;
  readonly ticket: string;
  readonly traceId: string;
  readonly prompt: string;
  readonly secret: string | undefined;
  /** What the model did, by the prompt it ran with. */
  reply(promptVersion: string): {
    readonly status: 'success' | 'refusal' | 'error';
    readonly response: string;
    readonly tokenIn: number;
    readonly tokenOut: number;
    readonly costNanoUsd: number;
    readonly latencyMs: number;
  };
  readonly duplicated: boolean;
  readonly lateMs: number;
  readonly outcomes: readonly {
    readonly kind: 'ticket_resolved' | 'ticket_reopened';
    readonly afterMs: number;
    readonly early: boolean;
  }[];
};

/** The prompt that the candidate really runs: declared reply-v1, from Tuesday reply-v2, and nobody said so. */
export const promptInForce = (variant: string, at: EpochMs): string =>
  variant === 'canary' && at >= storyOnset ? changedPrompt : 'reply-v1';
export const changedPrompt = 'reply-v2';

/**
 * Calls that arrive between two moments, for one of `apps` desks. People write four times as much by day as by night.
 */
export function callsBetween(
  random: Random,
  from: EpochMs,
  to: EpochMs,
  app: number,
  perHour: number,
  next: () => number,
): StoryCall[] {
  const hour = new Date(from).getUTCHours();
  const expected = ((to - from) / 3_600_000) * perHour * (hour >= 7 && hour < 19 ? 1.4 : 0.35);
  let count = Math.floor(expected);
  if (random() < expected - count) count += 1;
  return Array.from({ length: count }, () => storyCall(random, app, next()));
}

function storyCall(random: Random, app: number, number: number): StoryCall {
  // A few customers write very often: what makes counting events as independent a mistake.
  const customer = Math.floor(random() < 0.3 ? random() * 40 : random() * 2_500);
  const opening = pick(random, openings);
  const plant = random() < 0.12 ? pick(random, planted)(random) : undefined;
  const [quality, size, pace] = [random(), random(), random()];
  return {
    user: `customer-${app}-${customer}`,
    org: `org-${customer % 37}`,
    ticket: `T${app}-${number}`,
    traceId: letters(random, 32, '0123456789abcdef'),
    prompt: plant ? `${opening} ${plant.text}` : opening,
    secret: plant?.value,
    reply: (promptVersion) => {
      const broken = promptVersion === changedPrompt;
      const status = quality < 0.01 ? 'error' : quality < (broken ? 0.34 : 0.09) ? 'refusal' : 'success';
      const tokenIn = Math.round(250 + 300 * size);
      const tokenOut = Math.round((broken ? 1.7 : 1) * (60 + 90 * size));
      return {
        status,
        response: status === 'success' ? pick(() => pace, replies) : status === 'refusal' ? (refusals[0] ?? '') : '',
        tokenIn,
        tokenOut,
        costNanoUsd: tokenIn * 600 + tokenOut * 6_000 + Math.floor(pace * 1_000),
        latencyMs: Math.round(600 + 12 * tokenOut * (0.5 + pace)),
      };
    },
    duplicated: random() < 0.01,
    lateMs: random() < 0.01 ? 60_000 + Math.floor(random() * 1_200_000) : 0,
    outcomes: [
      ...(random() < 0.9
        ? [
            {
              kind: 'ticket_resolved' as const,
              afterMs: Math.floor((0.2 + random() * 5) * 3_600_000),
              early: random() < 0.02,
            },
          ]
        : []),
      ...(random() < 0.06
        ? [{ kind: 'ticket_reopened' as const, afterMs: Math.floor((6 + random() * 20) * 3_600_000), early: false }]
        : []),
    ],
  };
}
