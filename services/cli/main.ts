/**
 * `tripline`: one verb per job. Exit codes: 0 done, 1 the answer is no or the input is wrong, 2 something is down, 130
 * interrupted.
 */
import { resolve } from 'node:path';
import { Command } from 'commander';
import { defaultHome } from './addresses.ts';
import { audit } from './audit.ts';
import { apply, kill } from './change.ts';
import { demoVerb, type DemoFlags } from './demo.ts';
import { generation, rebuild } from './repartition.ts';
import { erase, type EraseFlags } from './erase.ts';
import { explain } from './explain.ts';
import { parkedList, parkedReplay, parkedShow } from './parked.ts';
import { decisions, results, sql, tail } from './read.ts';
import { plan } from './plan.ts';
import { redactVerb, type RedactFlags } from './redact.ts';
import { cleanMessage } from '../redaction/messages.ts';
import { replayVerb, type ReplayFlags } from './replay.ts';
import { simulate, type SimulateFlags, type TrafficFlags } from './simulate.ts';
import { doctor, down, status, supervise, up } from './stack.ts';
import { reportError } from './terminal.ts';
import { verify } from './verify.ts';

const program = new Command('tripline')
  .description('A/B tests and canaries of models and prompts, as a stream')
  .showHelpAfterError();

/** Runs a verb and ends with its code; an error is reported once, with its cure. */
const ends =
  <A extends unknown[]>(run: (...args: A) => Promise<number>) =>
  async (...args: A): Promise<void> => {
    let code: number;
    try {
      code = await run(...args);
    } catch (error) {
      code = reportError(error);
    }
    process.exitCode = code;
    // Everything has been closed; what a client library still holds open must not keep the command.
    process.stdout.write('', () => process.exit(code));
  };
/** The stack's processes have working folders of their own. */
const absolute = (folder: string): string => resolve(folder);
const verb = (name: string, description: string): Command =>
  program
    .command(name)
    .description(description)
    .option('--home <folder>', 'folder of the embedded stack', absolute, defaultHome());
type Home = { home: string };
type Reading = Home & { json?: boolean };

const policyHelp = 'redaction policy; default TRIPLINE_REDACTION_POLICY, else the built-in one';
verb('up', 'start broker, store, registry and every stage, in the background')
  .option('--partitions <n>', 'partitions of the logs', '4')
  .option('--policy <file>', policyHelp)
  .action(
    ends(async (flags: Home & { partitions: string; policy?: string }) =>
      up(flags.home, {
        partitions: Number(flags.partitions),
        ...(flags.policy !== undefined && { policy: flags.policy }),
      }),
    ),
  );
program
  .command('supervise', { hidden: true })
  .requiredOption('--home <folder>')
  .requiredOption('--partitions <n>')
  .action(
    ends(async (flags: Home & { partitions: string }) =>
      supervise(flags.home, { partitions: Number(flags.partitions) }),
    ),
  );
verb('status', 'what runs, and what it waits for')
  .option('--json')
  .action(ends(async (flags: Reading) => status(flags.home, flags.json === true)));
verb('doctor', 'what is missing, and the cure')
  .option('--json')
  .action(ends(async (flags: Reading) => doctor(flags.home, flags.json === true)));
verb('down', 'stop what `up` started').action(ends(async (flags: Home) => down(flags.home)));
program
  .command('demo')
  .description('a canary that breaks on Tuesday, from the first event to the rollback')
  .option('--json <file>', 'write the summary')
  .option('--keep', 'leave it running until Ctrl-C')
  .option('--seed <n>', 'another story', '7')
  .option('--policy <file>', policyHelp)
  .option('--home <folder>', 'keep data here')
  .action(ends(async (flags: DemoFlags) => demoVerb(flags)));
program
  .command('replay')
  .description("an experiment's events and outcomes through the whole path")
  .requiredOption('--experiment <file>')
  .requiredOption('--events <file>')
  .option('--outcomes <file>')
  .option('--observe', 'record decisions and go on sending')
  .option('--speed <x>', "max, or times the lines' own clock (300x)", 'max')
  .option('--look-every <n>', 'lockstep: a look after every n lines')
  .option('--partitions <n>', 'partitions of the logs', '4')
  .option('--policy <file>', policyHelp)
  .option('--json <file>', 'write the summary here')
  .action(ends(async (flags: ReplayFlags) => replayVerb(flags)));
verb('apply <file>', 'make an experiment file take effect')
  .option('--reason <text>', 'for the record', 'apply')
  .action(
    ends(async (file: string, flags: Home & { reason: string }) => apply(flags.home, file, cleanMessage(flags.reason))),
  );
verb('kill <experiment>', 'roll every candidate back now')
  .requiredOption('--reason <text>')
  .action(
    ends(async (experiment: string, flags: Home & { reason: string }) =>
      kill(flags.home, experiment, cleanMessage(flags.reason)),
    ),
  );
verb('tail', 'clean events and decisions as they pass')
  .option('--json')
  .option('--once', 'end at the end of what is there')
  .action(
    ends(async (flags: Reading & { once?: boolean }) =>
      tail(flags.home, { json: flags.json === true, once: flags.once === true }),
    ),
  );
verb('sql <statement>', 'one reading statement')
  .option('--json')
  .action(ends(async (statement: string, flags: Reading) => sql(flags.home, statement, flags.json === true)));
verb('results <experiment>', 'the last look')
  .option('--json')
  .action(ends(async (experiment: string, flags: Reading) => results(flags.home, experiment, flags.json === true)));
verb('decisions [experiment]', 'every decision')
  .option('--json')
  .action(
    ends(async (experiment: string | undefined, flags: Reading) =>
      decisions(flags.home, experiment, flags.json === true),
    ),
  );
verb('explain <id>', 'what a decision rests on')
  .option('--json')
  .action(ends(async (id: string, flags: Reading) => explain(flags.home, id, flags.json === true)));
verb('verify <id>', 'recompute a decision from the log and compare bytes')
  .option('--json')
  .action(ends(async (id: string, flags: Reading) => verify(flags.home, id, flags.json === true)));
verb('audit', 'do the cells equal a recount of their units')
  .option('--json')
  .action(ends(async (flags: Reading) => audit(flags.home, flags.json === true)));
verb('repartition', 'more partitions for the unit log, its state carried over; the stages must be stopped')
  .requiredOption('--partitions <n>', 'a multiple of what there are')
  .action(ends(async (flags: Home & { partitions: string }) => generation(flags.home, Number(flags.partitions))));
verb('rebuild', 'fold the unit log again from its beginning, beside what is there; the stages must be stopped').action(
  ends(async (flags: Home) => rebuild(flags.home)),
);
const parked = program
  .command('parked')
  .description('records that could not be used: list them, look at one, send them again');
const parkedVerb = (name: string, description: string): Command =>
  parked
    .command(name)
    .description(description)
    .option('--home <folder>', 'folder of the embedded stack', absolute, defaultHome());
type ParkedFlags = Reading & { stage?: string; code?: string; all?: boolean; again?: boolean; bytes?: boolean };
const chosen = ({ stage, code }: ParkedFlags) => ({
  ...(stage !== undefined && { stage }),
  ...(code !== undefined && { code }),
});
parkedVerb('list', 'every one, oldest first')
  .option('--stage <name>')
  .option('--code <code>')
  .option('--json')
  .action(ends(async (flags: ParkedFlags) => parkedList(flags.home, chosen(flags), flags.json === true)));
parkedVerb('show <id>', 'where it came from and what was wrong')
  .option('--bytes', 'the record too, as base64: it may hold personal data')
  .option('--json')
  .action(
    ends(async (id: string, flags: ParkedFlags) =>
      parkedShow(flags.home, id, { bytes: flags.bytes === true, json: flags.json === true }),
    ),
  );
parkedVerb('replay [ids...]', 'send them where they came from; what was sent is not sent again')
  .option('--stage <name>')
  .option('--code <code>')
  .option('--all')
  .option('--again', 'also what was sent before and came back')
  .action(
    ends(async (ids: string[], flags: ParkedFlags) =>
      parkedReplay(flags.home, ids, { ...chosen(flags), all: flags.all === true, again: flags.again === true }),
    ),
  );
const onTraffic = (command: Command, runs: string): Command =>
  command
    .option('--units-per-day <n>', 'new units a day at full coverage, all arms', '5000')
    .option('--visits <n>', 'mean visits of a unit', '2')
    .option('--same-again <share>', "visits that repeat the unit's own value", '0.3')
    .option('--candidate <arm>', 'which one; default the first')
    .option('--runs <n>', 'simulated phases', runs)
    .option('--seed <n>', 'other chance', '1')
    .option('--threads <n>', 'default: every core')
    .option('--json');
onTraffic(
  program
    .command('plan <file>')
    .description('units and days to find the declared harm, and false stops, simulated for this file'),
  '400',
).action(ends(async (file: string, flags: TrafficFlags) => plan(file, flags)));
onTraffic(program.command('simulate <file>').description('when this file would stop if a metric changed'), '2000')
  .option('--effect <metric=change...>', 'cost=+20%, error_rate=0.01; none: nothing differs')
  .option('--from <duration>', 'when the effects begin', '0')
  .option('--csv <path>', 'one line a run')
  .action(ends(async (file: string, flags: SimulateFlags) => simulate(file, flags)));
verb('erase', 'forget units for good: their outcomes, their rows, and the keys of their pseudonyms; sums stay')
  .requiredOption('--units <file>', 'one a line: an id, or a type, a tab and an id')
  .option('--json')
  .action(ends(async (flags: EraseFlags) => erase(flags)));
verb('redact', 'lines {"id","text"} in, lines {"id","text","spans"} out')
  .option('--policy <file>', policyHelp)
  .option('--explain', 'type, tier and score of each finding instead of the text; never the value')
  .option(
    '--audit',
    'instead: is any value of a list in a table, a log of the engine or a topic past raw? exit code 1 if so',
  )
  .option('--values <file>', 'for --audit: one value a line, or JSON strings')
  .option('--rebuild', 'instead: the kept raw events once more under this policy; newer rows replace older ones')
  .option('--json')
  .action(ends(async (flags: RedactFlags) => redactVerb(flags)));

await program.parseAsync();
