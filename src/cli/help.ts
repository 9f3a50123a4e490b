/** Help pages, laid out by yargs from the commands' own specs; loaded only when someone asks. */
import yargs from 'yargs';
import { COMMON } from './arguments.js';
import { type Command, type OptionSpec, positionalText } from './command.js';
import { commands } from './commands/index.js';

const WIDTH = 100;

export async function helpOf(command: Command, width: number): Promise<string> {
  const page = base(width).usage(
    `ftpc ${[command.name, ...command.positionals.map(positionalText)].join(' ')} [options]\n\n${command.doc}${
      command.positionals.length === 0
        ? ''
        : `\n\n${command.positionals.map(({ name, doc }) => `  ${name.toUpperCase().padEnd(10)} ${doc}`).join('\n')}`
    }`,
  );
  for (const [name, spec] of Object.entries({ ...command.options, ...COMMON })) {
    page.option(name, {
      type: spec.type === 'boolean' ? 'boolean' : spec.many ? 'array' : spec.type,
      description: withValue(spec),
      ...(spec.short === undefined ? {} : { alias: spec.short }),
      ...(spec.choices === undefined ? {} : { choices: spec.choices }),
    });
  }
  for (const [line, doc] of command.examples) page.example(line, doc);
  return page.getHelp();
}

const withValue = (spec: OptionSpec): string =>
  spec.value === undefined ? spec.doc : `${spec.value}: ${spec.doc}`;

export async function generalHelp(version: string, width: number): Promise<string> {
  const page = base(width).usage(
    `ftpc ${version}: a pipeline file says what should be true of a fine-tuned model; ftpc checks, plans and runs it.\n\nftpc <command> [options]`,
  );
  for (const load of Object.values(commands)) {
    const command = await load();
    page.command(
      [command.name, ...command.positionals.map(({ name }) => `[${name}]`)].join(' '),
      command.doc,
    );
  }
  return page
    .option('version', { type: 'boolean', description: 'Print the version.' })
    .option('help', { type: 'boolean', alias: 'h', description: 'Show this help, or that of a command.' })
    .example('ftpc init', 'write a small pipeline that runs')
    .example('ftpc plan pipelines/legal.ftp', 'what would run, what it needs, and why')
    .example('ftpc run pipelines/legal.ftp', 'run it; run it again and nothing is done twice')
    .epilogue(
      'Exit codes: 0 done · 1 error · 2 changes (plan --exit-code) · 3 a gate failed · 4 over budget · 130 interrupted',
    )
    .getHelp();
}

const base = (width: number) =>
  yargs([]).scriptName('ftpc').locale('en').help(false).version(false).wrap(Math.min(WIDTH, width));
