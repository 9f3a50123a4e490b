import { datasetTable } from '../../../src/tools/import/tables/axolotl-datasets.js';
import { tools } from '../../../src/tools/import/tools.js';
import type { Translation, TranslationTable } from '../../../src/tools/import/translation.js';

/** Keys with the same text, in the order of the table. */
function grouped<T>(
  table: TranslationTable<T>,
  kind: Translation<T>['kind'],
): readonly (readonly [doc: string, keys: readonly string[]])[] {
  const groups = new Map<string, string[]>();
  for (const [key, translation] of Object.entries(table))
    if (translation.kind === kind) groups.set(translation.doc, [...(groups.get(translation.doc) ?? []), key]);
  return [...groups];
}

const HEADINGS: Readonly<Record<Translation<never>['kind'], readonly [column: string, why: string]>> = {
  becomes: ['key', 'becomes'],
  automatic: ['needs nothing', 'because'],
  left: ['is not translated', 'because'],
  refused: ['is refused', 'because'],
};

const named = (keys: readonly string[]): string => keys.map((key) => `\`${key}\``).join(' ');

function tablesOf<T>(table: TranslationTable<T>): string {
  return (['becomes', 'automatic', 'left', 'refused'] as const)
    .map((kind) => ({ kind, groups: grouped(table, kind) }))
    .filter(({ groups }) => groups.length > 0)
    .map(({ kind, groups }) => {
      const [column, why] = HEADINGS[kind];
      const rows = groups.map(([doc, keys]) => `| ${named(keys)} | ${doc.replaceAll('|', '\\|')} |`);
      return [`| ${column} | ${why} |`, '|---|---|', ...rows].join('\n');
    })
    .join('\n\n');
}

/** Figures of `scripts/import-survey.mjs`, measured on the examples of the days named on the page. */
const FIGURES = `| | Axolotl | LLaMA-Factory | TRL |
|---|---|---|---|
| YAML and JSON files | 252 | 102 | 10 |
| imported; each passes \`ftpc check\`, but for data and models that are not there | 184 | 66 | 1 |
| imported; \`ftpc check\` names a column that its rows lack | 0 | 1 | 0 |
| refused, with the reason (preferences and rewards, images, some of the weights, other losses) | 65 | 21 | 0 |
| neither train nor merge (clusters, answering) | 2 | 14 | 9 |
| have a placeholder for a name | 1 | 0 | 0 |
| keys of the imported files | 7792 | 1564 | 5 |
| translated | 45.8 % | 47.1 % | 80 % |
| need nothing, because ftpc does it by itself | 28.3 % | 45.5 % | 20 % |
| have no value | 17.4 % | 2.4 % | 0 % |
| listed in a comment, with the reason | 8.5 % | 4.9 % | 0 % |
| unknown, with a warning | 2 keys | 2 keys | 0 keys |`;

export const importingPage = (): string => `# Importing

<!-- The tables are written from those of \`src/tools/import/tables/\` by the tests: UPDATE_GOLDEN=1 npm test. -->

\`ftpc import FILE\` makes a pipeline of a file for Axolotl (YAML), LLaMA-Factory (YAML or JSON, version 0 or 1) or TRL (the
arguments of \`trl sft\`, \`trl dpo\` and the like, or of \`SFTConfig\`, \`DPOConfig\`, \`ModelConfig\` and PEFT's \`LoraConfig\`, as JSON or YAML), and a budget of
one for accelerate.

\`\`\`
ftpc import lora.yml -o lora.ftp     # the tool is the one whose keys the file has; --from says another
ftpc check lora.ftp
\`\`\`

Every key of the file is in the result:

- it became a setting with the same meaning and the same number;
- or a comment at the end lists it: as not translated, with its value and the reason; as needing nothing, because ftpc does it
  by itself; or as having no value.

Where a setting differs from what it was in a way that the number does not show, a comment above it says so. A default of
the other tool that is not that of ftpc is written out where it changes what is trained. A file that asks for a method that ftpc does not have (\`rl: grpo\`,
images) is refused, and nothing is written. Wrong YAML, a key that is set twice, a misspelt key and a value of the wrong type are
reported with their line and column.

Paths in a file are relative to the folder where the other tool is called: call \`ftpc import\` there, too. With \`-o\`,
they are rewritten for the folder of the pipeline. A data set or a model is taken for one of the Hub if its name is no
file or folder here. LLaMA-Factory's data sets are looked up in \`dataset_info.json\`.

## What to look at

- **Rows per step.** \`batch.global\` is micro batch × accumulation × devices. Most of these files do not say how many
  devices there are: say it with \`--devices N\`, or with \`--accelerate FILE\`. LLaMA-Factory 1's \`global_batch_size\` is of all
  devices already. With packing, the other tools count packed sequences and ftpc counts rows.
- **Several devices.** DeepSpeed, FSDP and DDP become a budget for the [accelerate engine](gpus.md): \`engine\`, \`devices\`
  and \`nodes\` as far as they are said, \`sharding = fsdp\` for ZeRO-3 and \`full_shard\`, \`ddp\` for replicas, and none
  where only the state of the optimiser is sharded: the planner then takes what fits. Where they offload to the memory of the
  machine, the training has \`fallback = [cpu_offload]\`. A file of DeepSpeed is read where it is here; of one that is not,
  the name tells the stage (\`zero3.json\`). \`ftpc import lora.yaml --accelerate fsdp.yaml\` takes the devices of
  \`accelerate launch --config_file fsdp.yaml\`; that file alone becomes a budget to copy.
- **Preferences.** \`rl\` of Axolotl, \`stage\` of LLaMA-Factory and the arguments of TRL's trainers become an
  [\`objective\`](training.md#preferences), and their rows \`preference()\`. A file of TRL does not name its trainer: keys that
  one trainer alone has tell which it is, and \`beta\` alone is taken for DPO's. Dropout, packing and noise are left out.
- **Several data sets.** A stage trains on rows of one format; data sets of another format than the first are listed.
- **Checkpoints per epoch.** \`checkpoint.every\` counts steps; \`ftpc plan\` shows how many there are in an epoch.
- **Merging.** LLaMA-Factory's files for \`export\`, which have no rows, become a [\`merge\`](training.md#merging-and-evaluating-an-adapter-of-a-folder)
  of one adapter after the other, in the type of the base where that is here.
- **An evaluation.** The other files describe a training alone. Add an \`eval\` stage with a held-out split, and a \`deploy\`
  stage if a release is to follow.

## How much is translated

Of every example of the three projects (Axolotl of 24 July 2026, LLaMA-Factory of 18 August, TRL of 24 July):

${FIGURES}

In a copy of the project, in its root folder:

\`\`\`
node FTPC/scripts/import-survey.mjs --list examples
\`\`\`

${tools
  .map(({ title, table }) => `## ${title}\n\n${tablesOf(table)}`)
  .join('\n\n')
  .replace(
    '## LLaMA-Factory\n',
    `### Axolotl: a data set of \`datasets\`\n\n${tablesOf(datasetTable)}\n\n## LLaMA-Factory\n`,
  )}
`;
