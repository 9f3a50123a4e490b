import type { Colours } from '../cli-context.js';
import { type Command, EXIT, option } from '../command.js';
import type { Finding, State } from '../doctor/index.js';

export const doctor: Command = {
  name: 'doctor',
  doc: 'Checks what ftpc needs on this machine: versions, native libraries (by using them), memory, disk.',
  positionals: [],
  options: { json: option.flag('Print the findings as JSON.') },
  examples: [['ftpc doctor', 'what works here, and how to fix what does not']],
  run: async (args, context) => {
    const { checks } = await import('../doctor/index.js');
    const { columns } = await import('../../../pipeline/planner/render/columns.js');
    const findings: Finding[] = [];
    for (const check of checks) {
      const finding = await check(context.host);
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
