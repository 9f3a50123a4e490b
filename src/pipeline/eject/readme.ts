/** The page of an ejected project. */

import type { ProjectFacts } from './scripts.js';
import { BASE, COMPANIONS } from './training.js';

export function readme(facts: ProjectFacts): string {
  const { pipeline, stage, specification, rows, nodes, devices, ftpc, hasCompanions } = facts;
  const { sharding, total_steps: steps, trained, device } = specification;
  const reference = specification.preferences?.reference ?? undefined;
  const noun = device === 'cuda' ? 'GPU' : 'process';
  const each = devices === 1 ? `one ${noun}` : `${devices} ${noun}${device === 'cuda' ? 's' : 'es'}`;
  const where = device === 'cuda' ? each : `${each} on the CPU`;
  const ranks = nodes === 1 ? where : `${nodes} machines with ${where} each`;
  const shared = sharding.kind === 'none' ? '' : ` (sharding: ${sharding.kind})`;
  return `# ${stage} of ${pipeline}

The training of one stage, as ftpc ${ftpc} would run it: ${rows} rows, ${steps} steps, for ${ranks}${shared}.
It needs Python and what \`requirements\` lists, and no ftpc.

1. The environment: ${environmentText()}
2. The base: ${baseText(facts)}
3. The training: ${startText(facts)}

Run again after a stop, a kill or an error, it goes on from the newest checkpoint in \`checkpoints\`, also on another
number of machines: change \`world\` in \`spec.json\` and the numbers in the scripts. SIGTERM saves first. Each line that
a rank prints is an event in JSON: \`step\`, \`validation\`, \`checkpoint\`, \`done\`, or \`error\` with its kind.

\`trained/best\` and \`trained/last\` are ${
    trained === 'adapter'
      ? 'adapters in the format of PEFT; a pipeline takes one with `peft("…/trained/best")`, to merge, evaluate or continue it'
      : 'models in the format of Transformers; a pipeline takes one with `local("…/trained/best")`'
  }.

| file | |
|---|---|
| \`spec.json\` | the training: model, optimiser, steps, seeds, versions of packages (\`null\` takes any) |
| \`rows.safetensors\`, \`validation.safetensors\` | tokenised rows and their labels |
| \`steps.jsonl\` | of each step, the learning rate and the rows of its micro batches |
${reference === undefined ? '' : '| `reference-….jsonl` | what the base is asked before the first step |\n'}${trained === 'adapter' ? '| `adapter` | the adapter that training begins with |\n' : ''}${hasCompanions ? `| \`${COMPANIONS}\` | what goes with trained weights: how the rows ask, and their chat template |\n` : ''}| \`ftpc_driver\` | the Python that trains |
| \`run.sh\`, \`job.sbatch\`, \`job.yaml\` | the same start for a machine, Slurm and Kubernetes |
`;
}

const environmentText =
  (): string => `\`python3 -m venv venv && venv/bin/pip install --no-deps --require-hashes -r requirements/linux-x64.txt\`
   (6 GB with CUDA), then \`export PYTHON="$PWD/venv/bin/python"\`. Any Python with these versions does.`;

function baseText({ base }: ProjectFacts): string {
  switch (base.from) {
    case 'hub':
      return `\`./base.sh\` fetches ${base.id} at commit ${base.commit.slice(0, 12)} into \`${BASE}\`.`;
    case 'folder':
    case 'project':
      return `it is in \`${BASE}\`.`;
  }
}

const startText = ({ nodes }: ProjectFacts): string =>
  nodes === 1
    ? '`./run.sh`, or `sbatch job.sbatch`, or `kubectl apply -f job.yaml`.'
    : '`sbatch job.sbatch`, or `kubectl apply -f job.yaml`, or by hand on each machine, all with this folder at hand:\n   `RENDEZVOUS=HOST:29400 ./run.sh`.';
