/**
 * `tripline`: one verb per job. Exit codes: 0 done, 1 the answer is no or the input is wrong, 2 something is down, 130
 * interrupted. The verbs are in verbs.ts; each is loaded when it is asked for.
 */
import { Command } from 'commander';
import { type Verb, verbs } from './verbs.ts';

type Action = Parameters<Command['action']>[0];

/** Runs a verb and ends with its code; an error is reported once, with its hint. */
const ends =
  (run: (...args: Parameters<Action>) => Promise<number>): Action =>
  async (...args) => {
    let code: number;
    try {
      code = await run(...args);
    } catch (error) {
      code = (await import('./report-error.ts')).reportError(error);
    }
    process.exitCode = code;
    // Everything has been closed; what a client library still holds open must not keep the command.
    process.stdout.write('', () => process.exit(code));
  };

function addVerb(parent: Command, verb: Verb): void {
  const command = parent.command(verb.name, { hidden: verb.hidden === true }).description(verb.description);
  for (const { flags, description, default: otherwise, required, parse } of verb.options ?? []) {
    const option = command
      .createOption(flags, description)
      .default(otherwise)
      .makeOptionMandatory(required === true);
    command.addOption(parse === undefined ? option : option.argParser(parse));
  }
  if ('run' in verb) command.action(ends(verb.run));
  else for (const below of verb.verbs) addVerb(command, below);
}

const program = new Command('tripline')
  .description('A/B tests and canaries of models and prompts, as a stream')
  .showHelpAfterError();
for (const verb of verbs) addVerb(program, verb);
await program.parseAsync();
