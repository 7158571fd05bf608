/**
 * A small scenario of our own, in the files that `replay` reads: users, tickets, duplicates, late events, outcomes
 * early, late and corrected.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRandom } from '../../services/demo/story.ts';
import { recountLines, type RecountedTotal } from '../../services/demo/recount.ts';
import type { ExperimentSpec } from '../../services/kernel/experiment.ts';
import type { InferenceLine, OutcomeLine } from '../../services/replay/scenario-lines.ts';
import { hour, monday } from './build.ts';

export function writeScenario(
  folder: string,
  spec: ExperimentSpec,
  options: { readonly users: number; readonly calls: number; readonly seed: number },
): {
  readonly events: string;
  readonly outcomes: string;
  readonly expected: readonly RecountedTotal[];
  readonly unique: number;
} {
  const random = createRandom(options.seed);
  const events: InferenceLine[] = [];
  const outcomes: OutcomeLine[] = [];
  for (let index = 0; index < options.calls; index += 1) {
    const user = Math.floor(random() ** 2 * options.users);
    const at = monday + Math.floor((index / options.calls) * 60 * hour);
    const occurred = at - (random() < 0.02 ? Math.floor(random() * 1_800_000) : 500);
    const ticket = `T-${user}-${Math.floor(random() * 4)}`;
    const line: InferenceLine = {
      event_id: `e-${index}`,
      trace_id: '',
      occurred_at: new Date(occurred).toISOString(),
      user_id: `user-${user}`,
      ticket_id: ticket,
      experiment_id: 'exp-test',
      variant: user % 2 === 0 ? 'A' : 'B',
      model: 'm',
      prompt_version: 'v1',
      cost_usd_est: Math.round(random() * 5_000) / 1e9,
      latency_ms: Math.round(random() * 900),
      status: random() < 0.06 ? 'error' : 'success',
      prompt: 'my mail is ada@example.org',
      ingested_at: new Date(at).toISOString(),
    };
    events.push(line);
    if (random() < 0.02) events.push(line);
    const outcome = (kind: string, ms: number, revision = 1, value: number | null = 1): void =>
      void outcomes.push({
        outcome_id: `${kind}-${index}`,
        revision,
        entity_type: 'ticket',
        entity_id: ticket,
        kind,
        value,
        occurred_at: new Date(occurred + ms).toISOString(),
      });
    if (random() < 0.5) outcome('ticket_resolved', Math.floor(random() * 100 * hour) - hour);
    if (random() < 0.1) {
      const ms = Math.floor(random() * 90 * hour);
      outcome('ticket_reopened', ms);
      if (random() < 0.3) outcome('ticket_reopened', ms, 2, null);
    }
  }
  outcomes.sort((a, b) => Date.parse(a.occurred_at) - Date.parse(b.occurred_at));
  const files = { events: join(folder, 'events.jsonl'), outcomes: join(folder, 'outcomes.jsonl') };
  writeFileSync(files.events, events.map((line) => JSON.stringify(line)).join('\n'));
  writeFileSync(files.outcomes, outcomes.map((line) => JSON.stringify(line)).join('\n'));
  return { ...files, expected: recountLines(spec, events, outcomes), unique: options.calls };
}
