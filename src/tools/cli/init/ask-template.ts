import { createInterface } from 'node:readline';
import type { CliContext } from '../cli-context.js';
import { didYouMean } from '../command.js';
import { DEFAULT_TEMPLATE, isTemplate, TEMPLATE_NAMES, TEMPLATES, type TemplateName } from './templates.js';

/** Asks at a terminal until the answer is a template, by its name or its number; `undefined` if the input ends. */
export async function askTemplate(context: CliContext): Promise<TemplateName | undefined> {
  const { bold, cyan } = context.colours.err;
  const widest = Math.max(...TEMPLATE_NAMES.map((name) => name.length));
  context.err('Which template?');
  TEMPLATE_NAMES.forEach((name, index) => {
    context.err(`  ${index + 1}  ${bold(name.padEnd(widest))}  ${TEMPLATES[name].doc}`);
  });
  const ask = (): void =>
    void process.stderr.write(cyan(`template, by name or number [${DEFAULT_TEMPLATE}]: `));
  // the terminal edits the line itself, and Ctrl-C ends the process
  const lines = createInterface({ input: process.stdin, terminal: false });
  try {
    ask();
    for await (const line of lines) {
      const answer = line.trim().toLowerCase();
      const name = answer === '' ? DEFAULT_TEMPLATE : (TEMPLATE_NAMES[Number(answer) - 1] ?? answer);
      if (isTemplate(name)) return name;
      context.err(`there is no template \`${answer}\`${didYouMean(answer, TEMPLATE_NAMES)}`);
      ask();
    }
    context.err('');
    return undefined;
  } finally {
    lines.close();
  }
}
