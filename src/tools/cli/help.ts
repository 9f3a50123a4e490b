/** Help pages, laid out by yargs from the commands' own specs. */
import yargs from 'yargs';
import { COMMON } from './arguments.js';
import { type Command, type OptionSpec, positionalText } from './command.js';

const WIDTH = 100;

/** The group in which yargs shows names without dashes. */
const ARGUMENTS = 'Arguments:';

export function helpOf(command: Command, width: number): Promise<string> {
  const page = base(width)
    .updateStrings({ 'Positionals:': ARGUMENTS })
    .usage(`ftpc ${usageOf(command)} [options]\n\n${command.doc}`);
  for (const { name, doc } of command.positionals)
    page.option(name.toUpperCase(), { description: doc, group: ARGUMENTS });
  for (const [name, spec] of Object.entries({ ...command.options, ...COMMON }))
    page.option(withValue(name, spec), {
      description: spec.doc,
      ...(spec.short === undefined ? {} : { alias: spec.short }),
      ...(spec.choices === undefined || inline(spec.choices) ? {} : { choices: spec.choices }),
    });
  for (const [line, doc] of command.examples) page.example(line, doc);
  return page.getHelp();
}

const usageOf = ({ name, positionals }: Command): string =>
  [name, ...positionals.map(positionalText)].join(' ');

/** `memory SIZE`, `format text|json`: yargs prints the name of an option as it is given. */
function withValue(name: string, { type, value, choices }: OptionSpec): string {
  if (type === 'boolean') return name;
  return `${name} ${value ?? (choices !== undefined && inline(choices) ? choices.join('|') : 'NAME')}`;
}

/** Few enough choices to show them in place of the value. */
const inline = (choices: readonly string[]): boolean => choices.join('|').length <= 24;

export function generalHelp(commands: readonly Command[], version: string, width: number): Promise<string> {
  const page = base(width).usage(
    `ftpc ${version}: a pipeline file says what should be true of a fine-tuned model; ftpc checks, plans and runs it.\n\nftpc COMMAND [options]`,
  );
  for (const command of commands) page.command(usageOf(command), command.doc);
  return page
    .option('version', { description: 'Print the version.' })
    .option('help', { alias: 'h', description: 'Show this help, or that of a command.' })
    .example('ftpc init', 'write a small pipeline that runs')
    .example('ftpc plan pipelines/legal.ftp', 'what would run, what it needs, and why')
    .example('ftpc run pipelines/legal.ftp', 'run it; run it again and nothing is done twice')
    .epilogue(
      'Exit codes: 0 done · 1 error · 2 something changed · 3 a gate failed · 4 over budget · 130 interrupted',
    )
    .getHelp();
}

const base = (width: number) =>
  yargs().scriptName('ftpc').locale('en').help(false).version(false).wrap(Math.min(WIDTH, width));
