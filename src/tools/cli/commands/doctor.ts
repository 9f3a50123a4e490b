import type { CliContext, Colours } from '../cli-context.js';
import { type Command, EXIT, option } from '../command.js';
import type { Finding, State } from '../doctor/index.js';
import { PYTHON } from '../options/engine-options.js';

const ENGINES = ['embedded', 'accelerate'] as const;

export const doctor: Command = {
  name: 'doctor',
  doc: 'Checks what ftpc needs on this machine: versions, native libraries (by using them), memory, disk; and where the accelerate engine has a Python, trains ten steps with it.',
  positionals: [],
  options: {
    engine: option.choice(ENGINES, 'Check what this engine needs; default: both.'),
    python: PYTHON,
    json: option.flag('Print the findings as JSON.'),
  },
  examples: [
    ['ftpc doctor', 'what works here, and how to fix what does not'],
    ['ftpc doctor --engine accelerate --python ~/venv', 'whether a Python of your own can train'],
  ],
  run: async (args, context) => {
    const engine = ENGINES.find((name) => name === args.text('engine'));
    const python = args.text('python');
    if (engine === 'accelerate') await requirePython(context, python);
    const { checksOf } = await import('../doctor/index.js');
    const { columns } = await import('../../../pipeline/planner/render/columns.js');
    const { installView } = await import('../progress/steps.js');
    const view = installView(context);
    const options = { python, context, progress: (what: string) => view.step({ what }) };
    const findings: Finding[] = [];
    for (const check of checksOf(engine)) {
      const finding = await check(context.host, options);
      view.close();
      if (finding === undefined) continue;
      findings.push(finding);
      if (!args.flag('json'))
        for (const line of columns(rowsOf(finding, context.colours.out), { width: context.width }))
          context.out(line);
    }
    const healthy = findings.every(({ state }) => state !== 'failed');
    if (args.flag('json')) context.out(JSON.stringify({ version: 1, healthy, findings }, null, 2));
    return healthy ? EXIT.done : EXIT.error;
  },
};

/** Who asks for the engine by name has to have it. Throws a `UserError`. */
async function requirePython(context: CliContext, asked: string | undefined): Promise<void> {
  const { pythonOf, untriedVersions } = await import('../../../compute/accelerate/environment.js');
  const { printDiagnostics } = await import('../diagnostics-printer.js');
  const untried = untriedVersions(pythonOf(context.host, asked));
  if (untried !== undefined) await printDiagnostics(context, [untried]);
}

const SIGNS: Readonly<Record<State, (colours: Colours) => string>> = {
  ok: ({ green }) => green('ok     '),
  warning: ({ yellow }) => yellow('warning'),
  failed: ({ red }) => red('failed '),
  note: ({ dim }) => dim('note   '),
};

/** Names are filled up to this, as a finding is shown before the next is made. */
const NAMES = 13;

const rowsOf = ({ name, state, detail, help }: Finding, colours: Colours): readonly (readonly string[])[] => [
  [SIGNS[state](colours), name.padEnd(NAMES), detail],
  ...(help === undefined ? [] : [[' '.repeat(7), ' '.repeat(NAMES), colours.dim(help)]]),
];
