/** `ftpc eject`: a training as a folder that runs without ftpc, on machines that ftpc never sees. */
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, renameSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { AccelerateEngine } from '../../compute/accelerate/engine.js';
import { driverFolder } from '../../compute/accelerate/installed.js';
import { UserError } from '../../language/diagnostics/types.js';
import type { Host } from '../../language/host/host.js';
import { discard, type OwnForm, removeEmpty, sweepOwn } from '../../language/host/own-files.js';
import { MARK, markOf, mayWrite } from '../../language/host/process-identity.js';
import { ftpcVersion } from '../../language/host/version.js';
import type { AccelerateRun } from '../../language/ir/engines.js';
import type { OutputFolder } from '../../language/ir/outputs.js';
import type { Program } from '../../language/ir/program.js';
import type { Plan } from '../planner/plan-json.js';
import type { StagePlan } from '../run/run-context.js';
import { stagePlansOf } from '../run/stage-plans.js';
import type { Artefact } from '../stages/stage.js';
import { underPlan } from '../stages/stage-engine.js';
import { openStore, outputFolder, writing } from '../store/index.js';
import { inputMissing } from './eject-diagnostics.js';
import { readme } from './readme.js';
import { baseScript, kubernetesJob, type ProjectFacts, runScript, slurmScript } from './scripts.js';
import { BASE, type EjectedBase, type EjectedTraining, writeEjected } from './training.js';

interface EjectRequest {
  readonly host: Host;
  readonly program: Program;
  readonly plan: Plan;
  readonly engine: AccelerateRun;
  /** The train stage. */
  readonly stage: string;
  /** Absolute; does not exist, or is empty. */
  readonly folder: string;
}

/** Writes the project whole or not at all. Throws a `UserError` or a `ModelError`. */
export async function eject(request: EjectRequest): Promise<EjectedTraining> {
  const { folder } = request;
  sweepEjected(folder);
  const temporary = `${ejectedPrefix(folder)}${markOf()}`;
  try {
    writing(folder, undefined, () => mkdirSync(temporary, { recursive: true }));
    const output = outputFolder(temporary);
    const written = await writeProject(request, output);
    writing(folder, undefined, () => {
      // an empty one makes room
      removeEmpty(folder);
      renameSync(temporary, folder);
    });
    return written;
  } finally {
    discard(temporary);
  }
}

const ejectedPrefix = (folder: string): string => join(dirname(folder), `.${basename(folder)}.unfinished-`);

/** Removes what a process left that was killed while it wrote this folder. */
function sweepEjected(folder: string): void {
  const form: OwnForm = { name: new RegExp(`-${MARK}$`), kinds: ['folder'] };
  for (const name of existsSync(dirname(folder)) ? readdirSync(dirname(folder)) : []) {
    const path = join(dirname(folder), name);
    const [, writer] = form.name.exec(name) ?? [];
    if (path.startsWith(ejectedPrefix(folder)) && writer !== undefined && !mayWrite(writer))
      sweepOwn(path, form);
  }
}

async function writeProject(request: EjectRequest, output: OutputFolder): Promise<EjectedTraining> {
  const { host, program, plan, engine, stage: name } = request;
  const plans = stagePlansOf(program, plan, [name]);
  const own = plans.find(({ stage }) => stage.name === name);
  if (own?.trainPlan === undefined) throw new Error(`the plan trains nothing in ${name}`);
  const { stage, key, trainPlan } = own;
  const ranks = underPlan(ranksOf(engine), trainPlan);
  const training = await writeEjected(
    {
      ...{ stage, key, trainPlan, engine: ranks, host },
      inputs: inputsOf(request, plans, own),
      folder: program.folder,
      runtime: 'onnx',
      threads: 1,
    },
    { plan: trainPlan, engine: ranks },
    output,
  );
  writeBase(training.base, output);
  copy(
    join(driverFolder(host), 'ftpc_driver'),
    join(output.path, 'ftpc_driver'),
    (name) => name !== '__pycache__',
  );
  copy(
    join(driverFolder(host), 'locks'),
    join(output.path, 'requirements'),
    (name) => !name.startsWith('dev-'),
  );
  writeTexts(factsOf(request, training), output);
  return training;
}

/** Where they will run, their interpreter is another. */
const ranksOf = ({ versions, device, devices, attention, nodes }: AccelerateRun): AccelerateEngine => ({
  ...{ python: 'python3', versions, device, devices, attention, sharding: 'none', offload: false },
  ...(nodes === 1 ? {} : { nodes: { count: nodes, node: 0, rendezvous: '' } }),
});

function inputsOf(
  { host, engine }: EjectRequest,
  plans: readonly StagePlan[],
  { stage: own }: StagePlan,
): Readonly<Record<string, Artefact>> {
  const store = openStore(host.cwd, host.store);
  return Object.fromEntries(
    plans
      .filter(({ stage }) => stage.name !== own.name)
      .map(({ stage, key }) => {
        const found = store.find(key);
        if (found === undefined) throw new UserError(inputMissing(own, stage.name, engine.version));
        return [stage.name, { stage, path: found.path, key, result: found.record.result }];
      }),
  );
}

function writeBase(base: EjectedBase, output: OutputFolder): void {
  if (base.from !== 'folder') return;
  const isFile = statSync(base.path).isFile();
  const to = join(output.path, BASE, isFile ? basename(base.path) : '');
  copy(base.path, to);
}

/** `takes`: which names are copied. What the disk refuses becomes a `UserError`. */
const copy = (from: string, to: string, takes: (name: string) => boolean = () => true): void =>
  writing(to, undefined, () =>
    cpSync(from, to, { recursive: true, dereference: true, filter: (path) => takes(basename(path)) }),
  );

const SCRIPTS = ['run.sh', 'base.sh'] as const;

function writeTexts(facts: ProjectFacts, output: OutputFolder): void {
  output.write('README.md', readme(facts));
  output.write('run.sh', runScript(facts));
  output.write('job.sbatch', slurmScript(facts));
  output.write('job.yaml', kubernetesJob(facts));
  if (facts.base.from === 'hub') output.write('base.sh', baseScript(facts.base));
  for (const name of SCRIPTS)
    if (name !== 'base.sh' || facts.base.from === 'hub') chmodSync(join(output.path, name), 0o755);
}

function factsOf({ host, program, engine, stage }: EjectRequest, training: EjectedTraining): ProjectFacts {
  const pipeline = basename(program.file, '.ftp');
  const { nodes, devices } = engine;
  const name = `${pipeline}-${stage}`
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return { ...training, name, pipeline, stage, nodes, devices, ftpc: ftpcVersion(host) };
}
