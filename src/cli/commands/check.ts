import type { Command } from '../command.js';
import { EXIT } from '../exit-codes.js';
import { PARAM_OPTION, paramsOf } from '../params.js';

export const check: Command = {
  name: 'check',
  doc: 'Checks a pipeline without running anything: names, types, units, files, wiring.',
  positionals: [{ name: 'file', doc: 'The pipeline.' }],
  options: {
    ...PARAM_OPTION,
    json: { type: 'boolean', doc: 'Print `{ version, valid, diagnostics }` as JSON.' },
    github: { type: 'boolean', doc: 'Print annotations for a GitHub workflow.' },
  },
  examples: [
    ['ftpc check pipelines/legal.ftp', 'every mistake, each with its place and a way out'],
    ['ftpc check pipelines/legal.ftp -p smoke=true --json', 'for scripts and editors'],
  ],
  run: async (args, world) => {
    const params = paramsOf(args);
    const { compile } = await import('../../compile.js');
    const { diagnosticsPrinter } = await import('../diagnostics.js');
    const { lintReport } = await import('../../lint/index.js');
    const compiled = compile(world.host, args.positional('file'), { params });
    const { diagnostics: found, sources } = lintReport(compiled, world.host);
    const diagnostics = [...compiled.diagnostics, ...found];
    const printer = await diagnosticsPrinter(world, sources);
    const valid = diagnostics.every(({ severity }) => severity !== 'error');
    if (args.flag('json')) world.out(printer.json(diagnostics));
    else if (args.flag('github')) for (const line of printer.github(diagnostics)) world.out(line);
    else {
      for (const text of printer.pretty(diagnostics)) world.err(text);
      const { countText } = await import('../../diagnostics/render/index.js');
      const count = countText(diagnostics);
      const { green, red, yellow } = world.colours.err;
      const verdict = valid ? (count === '' ? green('ok') : yellow(count)) : red(count);
      world.err(`${verdict}: ${args.positional('file')}`);
    }
    return valid ? EXIT.done : EXIT.error;
  },
};
