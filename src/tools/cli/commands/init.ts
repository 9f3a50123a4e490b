import { join, relative, resolve } from 'node:path';
import { errorLine } from '../cli-context.js';
import { type Command, EXIT, option } from '../command.js';

export const init: Command = {
  name: 'init',
  doc: 'Writes a small pipeline with its data into a folder, ready to check, plan and run.',
  positionals: [{ name: 'folder', doc: 'Where to write; default: here.', optional: true }],
  options: { json: option.flag('Print the paths of the files as JSON.') },
  examples: [
    ['ftpc init', 'into this folder'],
    ['ftpc init capitals && cd capitals && ftpc run capitals.ftp', 'into a new one, and run it'],
  ],
  run: async (args, context) => {
    const { writeWhole } = await import('../../../pipeline/store/index.js');
    const { host } = context;
    const folder = resolve(host.cwd, args.optionalPositional('folder') ?? '.');
    const files = Object.entries(starterFiles()).map(([name, text]) => ({ path: join(folder, name), text }));
    const standing = files.filter(({ path }) => host.stat(path) !== undefined);
    if (standing.length > 0) {
      const names = standing.map(({ path }) => `\`${relative(host.cwd, path)}\``).join(', ');
      context.err(
        errorLine(
          context,
          `${names} ${standing.length === 1 ? 'is' : 'are'} already there; nothing was written`,
        ),
      );
      context.err('choose another folder: `ftpc init FOLDER`');
      return EXIT.error;
    }
    for (const { path, text } of files) writeWhole(path, text, { sync: false });
    const paths = files.map(({ path }) => relative(host.cwd, path));
    if (args.flag('json')) context.out(JSON.stringify({ version: 1, files: paths }));
    else {
      for (const path of paths) context.out(`wrote ${path}`);
      context.out(`now: ftpc run ${paths[0] ?? ''}`);
    }
    return EXIT.done;
  },
};

/** A pipeline that runs in a minute on a laptop, with rows that it learns. */

const PIPELINE = `/// Learn which capital belongs to which country, in the words of data/capitals.jsonl.
///
/// ftpc plan capitals.ftp     what would run, what it needs, and why
/// ftpc run capitals.ftp      run it; run it again and nothing is done twice
edition 2026

import { jsonl } from "std/data"
import { chat } from "std/format"
import { exact_match, perplexity } from "std/eval"

// allow(no-general-mix): the starter is for trying out; it has little to forget
data capitals {
  source = jsonl("data/capitals.jsonl")
  // allow(no-near-deduplication): the questions are alike on purpose, and split by group
  dedupe = [exact]
  split = { train: 80%, valid: 10%, test: 10%, by: "group" }
  require rows >= 50
}

format dialogs {
  from = capitals
  template = chat(system: "You answer with the name of a city.")
  max_length = 128tok
}

// allow(too-few-rows, dropout-on-small-data, no-early-stopping): a first look, over in a minute
train adapter {
  base = starter()
  dataset = dialogs.train
  validate = dialogs.valid
  lora = { rank: 8, alpha: 16 }
  // allow(rate-out-of-range): the starter has 3 million parameters; a real base needs about 2e-4
  optimizer = adamw(rate: 2e-3, schedule: cosine(warmup: 5%))
  batch = { global: 8 }
  stop = { epochs: 2 }
}

eval quality {
  model = adapter.best
  dataset = dialogs.test
  baseline = starter()
  metrics = [perplexity, exact_match]
  require perplexity < baseline.perplexity
}

deploy local {
  model = adapter.best
  when = quality.passed
  target = directory("releases/capitals")
}
`;

const CAPITALS: readonly (readonly [country: string, city: string])[] = [
  ['Austria', 'Vienna'],
  ['Belgium', 'Brussels'],
  ['Brazil', 'Brasília'],
  ['Canada', 'Ottawa'],
  ['Chile', 'Santiago'],
  ['China', 'Beijing'],
  ['Cuba', 'Havana'],
  ['Denmark', 'Copenhagen'],
  ['Egypt', 'Cairo'],
  ['Finland', 'Helsinki'],
  ['France', 'Paris'],
  ['Germany', 'Berlin'],
  ['Ghana', 'Accra'],
  ['Greece', 'Athens'],
  ['Hungary', 'Budapest'],
  ['Iceland', 'Reykjavík'],
  ['India', 'New Delhi'],
  ['Ireland', 'Dublin'],
  ['Italy', 'Rome'],
  ['Japan', 'Tokyo'],
  ['Kenya', 'Nairobi'],
  ['Mexico', 'Mexico City'],
  ['Norway', 'Oslo'],
  ['Peru', 'Lima'],
  ['Poland', 'Warsaw'],
  ['Portugal', 'Lisbon'],
  ['Spain', 'Madrid'],
  ['Sweden', 'Stockholm'],
  ['Thailand', 'Bangkok'],
  ['Vietnam', 'Hanoi'],
];

/** Ways to ask the same; each is a group of its own, so that the test asks in words that training has not seen. */
const QUESTIONS: readonly ((country: string) => string)[] = [
  (country) => `What is the capital of ${country}?`,
  (country) => `Which city is the capital of ${country}?`,
  (country) => `Name the capital of ${country}.`,
  (country) => `The government of ${country} sits in which city?`,
  (country) => `I am flying to the capital of ${country}. Where do I land?`,
  (country) => `Tell me the capital city of ${country}.`,
  (country) => `${country}: what is its capital?`,
  (country) => `What do we call the capital of ${country}?`,
  (country) => `Where is the seat of government of ${country}?`,
  (country) => `Give the capital of ${country}.`,
];

function rows(): string {
  const lines = QUESTIONS.flatMap((ask, group) =>
    CAPITALS.map(([country, city]) =>
      JSON.stringify({ instruction: ask(country), output: city, group: `question-${group + 1}` }),
    ),
  );
  return `${lines.join('\n')}\n`;
}

/** By their path in the new folder. */
export const starterFiles = (): Readonly<Record<string, string>> => ({
  'capitals.ftp': PIPELINE,
  'data/capitals.jsonl': rows(),
  '.gitignore': '.ftp/\nreleases/\n',
});
