/** How a run's own experiment takes effect: through the control topic like any other, and before anything is sent. */
import { type BotDeps, publishRevision, type RunningBot } from '../bot/index.ts';
import { publishControl } from '../control/control-messages.kafka.ts';
import { type Application, foldControl } from '../control/index.ts';
import { canonicalJson, sha256Hex } from '../kernel/canonical-json.ts';
import type { ExperimentSpec } from '../kernel/experiment.ts';
import { PipelineError } from '../kernel/pipeline-error.ts';
import type { EpochMs } from '../kernel/time.ts';
import type { Progress } from './progress.ts';

type Target = Pick<BotDeps, 'prefix' | 'log' | 'producer' | 'codec'> & {
  /** Absent where nobody obeys: then the revision is put in force from here. */
  readonly bot: RunningBot | undefined;
  readonly progress: Pick<Progress, 'until'>;
};
type Declared = Pick<Application, 'configSha' | 'author' | 'reason'> & { readonly spec: ExperimentSpec };

export async function applyAndAwait(target: Target, declared: Declared, at: EpochMs): Promise<void> {
  const { bot, progress } = target;
  const experimentId = declared.spec.id;
  const digest = sha256Hex(canonicalJson({ apply: experimentId, sha: declared.configSha, at }));
  const application = { ...declared, experimentId, applyId: digest.slice(0, 32), traceId: digest.slice(32, 64) };
  const record = { kind: 'apply', application } as const;
  const number = await publishControl(target, record, at);
  if (bot !== undefined) {
    await progress.until(() => bot.acks().some(({ control_offset }) => control_offset === number));
    return;
  }
  const known = foldControl(new Map(), record, number, at).table.get(experimentId);
  if (known === undefined) throw new PipelineError('EXPERIMENT_INVALID', 'nothing to apply');
  await publishRevision(target, known.revision, known);
}
