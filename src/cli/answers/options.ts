import type { Sampling } from '../../evaluation/generation/index.js';
import type { Arguments } from '../arguments.js';
import type { OptionSpec } from '../command.js';
import { UsageError } from '../usage-error.js';
import type { World } from '../world.js';
import type { OpenOptions } from './open.js';

/** Options of every command that lets a model answer. */
export const ANSWER_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  base: {
    type: 'string',
    value: 'FOLDER',
    doc: 'The base of an adapter, where it is not where the adapter says.',
  },
  system: { type: 'string', value: 'TEXT', doc: 'The system message.' },
  'max-tokens': { type: 'number', value: 'N', doc: 'Longest answer; 128 where left out.' },
  temperature: {
    type: 'number',
    value: 'T',
    doc: 'Draws tokens by their probability at this temperature; 0, the default, takes the likeliest.',
  },
  'top-p': {
    type: 'number',
    value: 'P',
    doc: 'Draws only from the likeliest tokens that make up this share.',
  },
  seed: { type: 'number', value: 'N', doc: 'Seed of the draws; 17 where left out.' },
  '4bit': {
    type: 'boolean',
    doc: 'Holds the base in four bits, as for an adapter that was trained by qlora.',
  },
  threads: { type: 'number', value: 'N', doc: 'Threads; one a core where left out.' },
};

const LONGEST = 128;
const SEED = 17;

export const openOptions = (args: Arguments, { host }: World): OpenOptions => ({
  ...(args.text('base') === undefined ? {} : { base: args.text('base') }),
  quantised: args.flag('4bit'),
  threads: args.number('threads') ?? host.machine().cores,
});

export function maxTokensOf(args: Arguments): number {
  const value = args.number('max-tokens') ?? LONGEST;
  if (!Number.isInteger(value) || value < 1)
    throw new UsageError('`--max-tokens` needs a whole number from 1');
  return value;
}

export function samplingOf(args: Arguments): Sampling | undefined {
  const temperature = args.number('temperature') ?? 0;
  const topP = args.number('top-p') ?? 1;
  if (temperature < 0) throw new UsageError('`--temperature` is 0 or more');
  if (topP <= 0 || topP > 1) throw new UsageError('`--top-p` lies between 0 and 1');
  return temperature === 0 ? undefined : { temperature, topP, seed: args.number('seed') ?? SEED };
}
