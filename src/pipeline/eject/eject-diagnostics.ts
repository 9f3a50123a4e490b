/** FTP1901…, FTP2302: what cannot be ejected. */
import { error } from '../../language/diagnostics/make.js';
import type { Stage } from '../../language/ir/program.js';

/** `setting`: in backquotes. */
export const needsConversion = ({ name, span }: Stage, setting: string) =>
  error('FTP1901', span, `\`${name}\` cannot be ejected: what ${setting} trains is no adapter yet`, {
    label: `ftpc makes the adapter of ${setting} after training`,
    help: 'train it with `ftpc run`, or without that setting',
  });

export const ejectsOneModel = ({ name, span }: Stage, reference: string) =>
  error(
    'FTP2302',
    span,
    `\`${name}\` cannot be ejected: it is compared with another model, \`${reference}\``,
    {
      label: 'an ejected project has one model',
      help: 'train it with `ftpc run`, or without `reference`',
    },
  );

/** `input`: the stage that has no output; `engine`: what it would be made with. */
export const inputMissing = ({ name, span }: Stage, input: string, engine: string) =>
  error('FTP1902', span, `\`${name}\` cannot be ejected: \`${input}\`, which it reads, has no output`, {
    notes: [`its output has to be made with ${engine}`],
    help: `run it first: \`ftpc run FILE --engine accelerate\` up to \`${input}\`, then eject \`${name}\``,
  });
