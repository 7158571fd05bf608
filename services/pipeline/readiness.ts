/**
 * Whether a process may be counted on: its stages hold their partitions, and its own broker and store have answered a
 * real question just now. A stage that the broker gives no partition to stands by, and is ready.
 */
import type { Clock, EpochMs } from '../kernel/time.ts';
import { cleanMessage } from '../redaction/messages.ts';
import type { ProbeAnswer } from '../runtime/probe-server.ts';
import type { RunningStage } from '../runtime/stage.ts';

/** A question to a dependency, a bounded time for its answer, one question at a time. */
export type Question = { readonly name: string; readonly ask: () => Promise<void> };

export type ReadinessOptions = {
  readonly questions: readonly Question[];
  readonly stages: () => readonly {
    readonly name: string;
    readonly running: Pick<RunningStage, 'owned' | 'waitingFor'> | undefined;
  }[];
  readonly clock: Clock;
  readonly wait: (ms: number) => Promise<void>;
  /** How long an answer may take, and how long it is good for, ms. */
  readonly answerMs?: number;
  readonly goodForMs?: number;
};

const createQuestion = ({ name, ask }: Question, options: ReadinessOptions) => {
  const { clock, wait, answerMs = 2_000, goodForMs = 1_000 } = options;
  let asking: Promise<string | undefined> | undefined;
  let last: { readonly at: EpochMs; readonly problem: string | undefined } | undefined;
  /** What is wrong, or nothing. A question that nobody answers stays the only one. */
  const answer = (): Promise<string | undefined> => {
    asking ??= ask()
      .then(
        () => undefined,
        (error: unknown) => cleanMessage(error instanceof Error ? error.message : String(error)),
      )
      .then((problem) => {
        last = { at: clock.now(), problem };
        asking = undefined;
        return problem;
      });
    return asking;
  };
  return {
    name,
    problem: async (): Promise<string | undefined> => {
      if (last !== undefined && clock.now() - last.at < goodForMs) return last.problem;
      return Promise.race([answer(), wait(answerMs).then(() => `no answer within ${answerMs} ms`)]);
    },
  };
};

/** What is asked of a stage: its place, and whether it waits for a person. */
type Asked = Pick<RunningStage, 'owned' | 'waitingFor'>;

const stageProblem = (running: Asked | undefined): string | undefined => {
  if (running === undefined) return 'not running';
  const waiting = running.waitingFor();
  if (waiting?.forPerson) return cleanMessage(waiting.what);
  return running.owned() === undefined ? 'has no place in its group yet' : undefined;
};

export function createReadiness(options: ReadinessOptions): () => Promise<ProbeAnswer> {
  const questions = options.questions.map((question) => createQuestion(question, options));
  return async () => {
    const answered = await Promise.all(
      questions.map(async ({ name, problem }) => ({ name, problem: await problem() })),
    );
    const stages = options.stages();
    const problems = [
      ...answered,
      ...stages.map(({ name, running }) => ({ name, problem: stageProblem(running) })),
    ].flatMap(({ name, problem }) => (problem === undefined ? [] : [{ name, problem }]));
    const standby = stages.filter(({ running }) => running?.owned()?.size === 0).map(({ name }) => name);
    return {
      ok: problems.length === 0,
      ...(problems.length > 0 && { problems }),
      ...(standby.length > 0 && { standby }),
    };
  };
}
