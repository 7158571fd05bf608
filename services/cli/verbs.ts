/**
 * Every verb: its name, arguments and options, and how it runs. To add one, add a row: `run` imports the module that
 * does the work, so that a verb loads its own code and no other's. Nothing here may import such a module statically; a
 * test watches the module graph. Long because it is one table: a row a verb.
 */
import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { PersonsOrder } from '../control/index.ts';
import type { OrderFlags } from './change.ts';
import type { DemoFlags } from './demo.ts';
import type { EraseFlags } from './erase.ts';
import type { PrepareFlags } from './prepare.ts';
import type { RedactFlags } from './redact.ts';
import type { ReplayFlags } from './replay.ts';
import type { SimulateFlags } from './simulate.ts';
import type { TrafficFlags } from './traffic.ts';

/** The arguments in their order, then the flags; commander has checked their number, the row says their types. */
type Run = (...args: Parameters<Parameters<Command['action']>[0]>) => Promise<number>;
/** As commander writes it: `--json`, `--home <folder>`. */
type Option = {
  readonly flags: string;
  readonly description?: string;
  readonly default?: string;
  readonly required?: true;
  readonly parse?: (text: string) => string;
};
export type Verb = {
  /** With its arguments: `apply <file>`. */
  readonly name: string;
  readonly description: string;
  readonly options?: readonly Option[];
  readonly hidden?: true;
} & ({ readonly run: Run } | { readonly verbs: readonly Verb[] });

type Home = { readonly home: string };
type Reading = Home & { readonly json?: boolean };
type ParkedFlags = Reading & {
  readonly stage?: string;
  readonly code?: string;
  readonly all?: boolean;
  readonly again?: boolean;
  readonly bytes?: boolean;
};

const option = (flags: string, description?: string, otherwise?: string): Option => ({
  flags,
  ...(description !== undefined && { description }),
  ...(otherwise !== undefined && { default: otherwise }),
});
const required = (flags: string, description?: string): Option => ({ ...option(flags, description), required: true });

/** The stack's processes have working folders of their own: the path is made absolute here. */
const home: Option = {
  ...option('--home <folder>', 'folder of the embedded stack', resolve('.tripline')),
  parse: (folder) => resolve(folder),
};
const json = option('--json');
const partitions = option('--partitions <n>', 'partitions of the logs', '4');
const policy = option('--policy <file>', 'redaction policy; default TRIPLINE_REDACTION_POLICY, else the built-in one');
const traffic = (runs: string): readonly Option[] => [
  option('--units-per-day <n>', 'new units a day at full coverage, all arms', '5000'),
  option('--visits <n>', 'mean visits of a unit', '2'),
  option('--same-again <share>', "visits that repeat the unit's own value", '0.3'),
  option('--candidate <arm>', 'which one; default the first'),
  option('--runs <n>', 'simulated phases', runs),
  option('--seed <n>', 'other chance', '1'),
  option('--threads <n>', 'default: every core'),
  json,
];

const candidate = option('--candidate <arm>', 'which one, where there are several');
/** A person's decision: written, then waited for until it is answered. */
const ordered = (
  name: string,
  description: string,
  action: PersonsOrder['action'],
  more: readonly Option[] = [],
): Verb => ({
  name: `${name} <experiment>`,
  description,
  options: [home, required('--reason <text>', 'for the record'), ...more],
  run: async (experiment: string, flags: Home & OrderFlags) =>
    (await import('./change.ts')).order(flags.home, action, experiment, flags),
});

const chosen = ({ stage, code }: ParkedFlags) => ({
  ...(stage !== undefined && { stage }),
  ...(code !== undefined && { code }),
});
const parkedVerbs: readonly Verb[] = [
  {
    name: 'list',
    description: 'every one, oldest first',
    options: [home, option('--stage <name>'), option('--code <code>'), json],
    run: async (flags: ParkedFlags) =>
      (await import('./parked.ts')).parkedList(flags.home, chosen(flags), flags.json === true),
  },
  {
    name: 'show <id>',
    description: 'where it came from and what was wrong',
    options: [home, option('--bytes', 'the record too, as base64: it may hold personal data'), json],
    run: async (id: string, flags: ParkedFlags) =>
      (await import('./parked.ts')).parkedShow(flags.home, id, {
        bytes: flags.bytes === true,
        json: flags.json === true,
      }),
  },
  {
    name: 'replay [ids...]',
    description: 'send them where they came from; what was sent is not sent again',
    options: [
      home,
      option('--stage <name>'),
      option('--code <code>'),
      option('--all'),
      option('--again', 'also what was sent before and came back'),
    ],
    run: async (ids: string[], flags: ParkedFlags) =>
      (await import('./parked.ts')).parkedReplay(flags.home, ids, {
        ...chosen(flags),
        all: flags.all === true,
        again: flags.again === true,
      }),
  },
];

/** In the order of `--help`. */
export const verbs: readonly Verb[] = [
  {
    name: 'up',
    description: 'start broker, store, registry and every stage, in the background',
    options: [home, partitions, policy],
    run: async (flags: Home & { partitions: string; policy?: string }) =>
      (await import('./up.ts')).up(flags.home, {
        partitions: Number(flags.partitions),
        ...(flags.policy !== undefined && { policy: flags.policy }),
      }),
  },
  {
    name: 'supervise',
    description: '',
    hidden: true,
    options: [required('--home <folder>'), required('--partitions <n>')],
    run: async (flags: Home & { partitions: string }) =>
      (await import('./up.ts')).supervise(flags.home, { partitions: Number(flags.partitions) }),
  },
  {
    name: 'status',
    description: 'what runs, and what it waits for',
    options: [home, json],
    run: async (flags: Reading) => (await import('./status.ts')).status(flags.home, flags.json === true),
  },
  {
    name: 'doctor',
    description: 'what is missing, and a hint',
    options: [home, json],
    run: async (flags: Reading) => (await import('./doctor.ts')).doctor(flags.home, flags.json === true),
  },
  {
    name: 'down',
    description: 'stop what `up` started',
    options: [home],
    run: async (flags: Home) => (await import('./down.ts')).down(flags.home),
  },
  {
    name: 'env',
    description: 'what an app must export to use the running stack',
    options: [home],
    run: async (flags: Home) => (await import('./env.ts')).env(flags.home),
  },
  {
    name: 'config',
    description: 'every setting, its default, its value and where that came from',
    options: [home, json],
    run: async (flags: Reading) => (await import('./settings.ts')).config(flags.home, flags.json === true),
  },
  {
    name: 'prepare',
    description: 'topics, schemas and tables on a broker and a store of your own; says first what it would change',
    options: [
      option('--yes', 'make the changes without asking'),
      option('--dry-run', 'only say what would be changed'),
    ],
    run: async (flags: PrepareFlags) => (await import('./prepare.ts')).prepareVerb(flags),
  },
  {
    name: 'start [stages...]',
    description:
      'stages in the foreground, on the addresses in the environment: redactor linker joiner sink statistics bot',
    run: async (stages: string[]) => (await import('./start.ts')).start(stages),
  },
  {
    name: 'demo',
    description: 'a canary that breaks on Tuesday, from the first event to the rollback',
    options: [
      option('--json <file>', 'write the summary'),
      option('--keep', 'leave it running until Ctrl-C'),
      option('--seed <n>', 'another story', '7'),
      policy,
      option('--home <folder>', 'keep data here'),
    ],
    run: async (flags: DemoFlags) => (await import('./demo.ts')).demoVerb(flags),
  },
  {
    name: 'replay',
    description: "an experiment's events and outcomes through the pipeline",
    options: [
      required('--experiment <file>'),
      required('--events <file>'),
      option('--outcomes <file>'),
      option('--observe', 'record decisions and go on sending'),
      option('--speed <x>', "max, or times the lines' own clock (300x)", 'max'),
      option('--look-every <n>', 'lockstep: a look after every n lines'),
      partitions,
      policy,
      option('--json <file>', 'write the summary here'),
    ],
    run: async (flags: ReplayFlags) => (await import('./replay.ts')).replayVerb(flags),
  },
  {
    name: 'apply <file>',
    description: 'make an experiment file take effect',
    options: [home, option('--reason <text>', 'for the record', 'apply')],
    run: async (file: string, flags: Home & { reason: string }) =>
      (await import('./change.ts')).apply(flags.home, file, flags.reason),
  },
  ordered('kill', 'roll every candidate back now', 'rollback', [candidate]),
  ordered('pause', 'keep the split, hold promotions and ramp steps until `resume`', 'pause'),
  ordered('resume', 'go on after a pause: promotions and ramp steps may be decided again', 'resume'),
  ordered('promote', 'give everybody the candidate', 'promote', [candidate]),
  ordered('advance', 'take the next step of the ramp now', 'advance'),
  ordered('end', 'it is over: everybody has control, or the promoted arm, and its place is free', 'end'),
  {
    name: 'tail',
    description: 'clean events and decisions as they pass',
    options: [home, json, option('--once', 'end at the end of what is there')],
    run: async (flags: Reading & { once?: boolean }) =>
      (await import('./read.ts')).tail(flags.home, { json: flags.json === true, once: flags.once === true }),
  },
  {
    name: 'sql <statement>',
    description: 'one reading statement',
    options: [home, json],
    run: async (statement: string, flags: Reading) =>
      (await import('./read.ts')).sql(flags.home, statement, flags.json === true),
  },
  {
    name: 'results <experiment>',
    description: 'the last look',
    options: [home, json],
    run: async (experiment: string, flags: Reading) =>
      (await import('./results.ts')).results(flags.home, experiment, flags.json === true),
  },
  {
    name: 'slices <experiment>',
    description: 'where a candidate is worse: every slice with its difference, worst first; nothing is decided from it',
    options: [home, option('--metric <id>', 'this one alone; default every metric'), json],
    run: async (experiment: string, flags: Reading & { metric?: string }) =>
      (await import('./slices.ts')).slices(flags.home, experiment, {
        metric: flags.metric,
        json: flags.json === true,
      }),
  },
  {
    name: 'decisions [experiment]',
    description: 'every decision',
    options: [home, json],
    run: async (experiment: string | undefined, flags: Reading) =>
      (await import('./read.ts')).decisions(flags.home, experiment, flags.json === true),
  },
  {
    name: 'explain <id>',
    description: 'what a decision rests on',
    options: [home, json],
    run: async (id: string, flags: Reading) =>
      (await import('./explain.ts')).explain(flags.home, id, flags.json === true),
  },
  {
    name: 'verify <id>',
    description: 'recompute a decision from the log and compare bytes',
    options: [home, json],
    run: async (id: string, flags: Reading) =>
      (await import('./verify.ts')).verify(flags.home, id, flags.json === true),
  },
  {
    name: 'audit',
    description: 'do the aggregates equal a recount of their units',
    options: [home, json],
    run: async (flags: Reading) => (await import('./audit.ts')).audit(flags.home, flags.json === true),
  },
  {
    name: 'repartition',
    description: 'more partitions for the unit log, its state carried over; the stages must be stopped',
    options: [home, required('--partitions <n>', 'a multiple of what there are')],
    run: async (flags: Home & { partitions: string }) =>
      (await import('./repartition.ts')).repartition(flags.home, Number(flags.partitions)),
  },
  {
    name: 'rebuild',
    description: 'fold the unit log again from its beginning, next to what is there; the stages must be stopped',
    options: [home],
    run: async (flags: Home) => (await import('./repartition.ts')).rebuild(flags.home),
  },
  {
    name: 'parked',
    description: 'records that could not be used: list them, look at one, send them again',
    verbs: parkedVerbs,
  },
  {
    name: 'plan <file>',
    description: 'units and days to find the declared harm, and false stops, simulated for this file',
    options: traffic('400'),
    run: async (file: string, flags: TrafficFlags) => (await import('./plan.ts')).plan(file, flags),
  },
  {
    name: 'simulate <file>',
    description: 'when this file would stop if a metric changed',
    options: [
      ...traffic('2000'),
      option('--effect <metric=change...>', 'cost=+20%, error_rate=0.01; none: nothing differs'),
      option('--from <duration>', 'when the effects begin', '0'),
      option('--csv <path>', 'one line a run'),
    ],
    run: async (file: string, flags: SimulateFlags) => (await import('./simulate.ts')).simulate(file, flags),
  },
  {
    name: 'erase',
    description: 'forget units for good: their outcomes, their rows, and the keys of their pseudonyms; sums stay',
    options: [home, required('--units <file>', 'one a line: an id, or a type, a tab and an id'), json],
    run: async (flags: EraseFlags) => (await import('./erase.ts')).erase(flags),
  },
  {
    name: 'redact',
    description: 'lines {"id","text"} in, lines {"id","text","spans"} out',
    options: [
      home,
      policy,
      option('--explain', 'type, tier and score of each finding instead of the text; never the value'),
      option(
        '--audit',
        'instead: is any value of a list in a table, a log of the engine or a topic past raw? exit code 1 if so',
      ),
      option('--values <file>', 'for --audit: one value a line, or JSON strings'),
      option('--rebuild', 'instead: the kept raw events once more under this policy; newer rows replace older ones'),
      json,
    ],
    run: async (flags: RedactFlags) => (await import('./redact.ts')).redactVerb(flags),
  },
];
