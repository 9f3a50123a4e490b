/**
 * Checks of the accelerate engine: the Python that it would compute with, what that has, and whether it trains as the
 * embedded engine does.
 */
import {
  lookAtPython,
  ORIGINS,
  type PythonEnvironment,
  problemOf,
} from '../../../compute/accelerate/environment.js';
import { environmentDamage } from '../../../compute/accelerate/installed.js';
import { PACKAGE_NAMES } from '../../../compute/accelerate/packages.js';
import { environmentMissing } from '../../../language/diagnostics/catalogue/environment.js';
import { UserError } from '../../../language/diagnostics/types.js';
import type { Host } from '../../../language/host/host.js';
import type { Check, DoctorOptions, Finding } from './checks.js';
import { askPyTorch, type PyTorchFacts, pytorchFinding } from './pytorch.js';
import { type Trial, train, worstOf } from './trial.js';

/** Relative difference of losses that rounding explains: on the CPU, and on a GPU, which adds in another order. */
const TOLERANCE = { cpu: 1e-5, gpu: 1e-3 } as const;

/** Exists where the driver of an NVIDIA GPU is loaded. */
const NVIDIA_DEVICE = '/dev/nvidiactl';

/** What a check has found, for those after it; each of them is left out where it is not there. */
interface Known {
  environment?: PythonEnvironment;
  facts?: PyTorchFacts;
  embedded?: Trial;
}

/** In the order in which they are made. */
export function accelerateChecks(): readonly Check[] {
  const known: Known = {};
  return [
    (host, options) => python(host, options, known),
    (host, options) => pytorch(host, options, known),
    (_, options) => training(options, known),
    (_, options) => ranks(options, known),
  ];
}

/** Nothing but the accelerate engine needs a Python; one that is named has to be of use. */
async function python(host: Host, { python: asked }: DoctorOptions, known: Known): Promise<Finding> {
  const name = 'python';
  try {
    const found = lookAtPython(host, asked);
    if (found === undefined) {
      const { help } = environmentMissing();
      return { name, state: 'note', detail: 'none for the accelerate engine; nothing else needs one', help };
    }
    const packages = PACKAGE_NAMES.flatMap((one) => {
      const version = found.packages[one];
      return version === undefined ? [] : [`${one} ${version}`];
    });
    const detail = [`${found.version} of ${ORIGINS[found.origin]}: ${found.python}`, packages.join(', ')]
      .filter((part) => part !== '')
      .join('; ');
    const damage = found.origin === 'installed' ? environmentDamage(host, 'all') : undefined;
    if (damage !== undefined)
      return {
        name,
        state: 'failed',
        detail: `damaged: ${damage}`,
        help: 'run `ftpc runtime install accelerate`',
      };
    const problem = problemOf(found);
    if (problem !== undefined)
      return { name, state: 'failed', detail: `${problem.message}; ${detail}`, help: problem.help };
    known.environment = found;
    return { name, state: 'ok', detail };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const { message, help } = error.diagnostic;
    return { name, state: 'failed', detail: message, help };
  }
}

async function pytorch(host: Host, { progress }: DoctorOptions, known: Known): Promise<Finding | undefined> {
  if (known.environment === undefined) return undefined;
  progress('importing PyTorch');
  const facts = await askPyTorch(host, known.environment);
  if (typeof facts === 'string')
    return {
      name: 'pytorch',
      state: 'failed',
      detail: `it does not load: ${facts}`,
      help: 'install its packages again, or name another Python with `--python`',
    };
  known.facts = facts;
  return pytorchFinding(facts, host.stat(NVIDIA_DEVICE) !== undefined);
}

/** One device, against the embedded engine. */
async function training(options: DoctorOptions, known: Known): Promise<Finding | undefined> {
  if (known.facts === undefined) return undefined;
  options.progress('training ten steps with the embedded engine');
  known.embedded = await train(options.context, { engine: 'embedded' });
  if (known.embedded.problem !== undefined) return failed('training', 'the embedded engine', known.embedded);
  return compared('training', 1, options, known);
}

/** All GPUs; without one, two ranks on the CPU. */
async function ranks(options: DoctorOptions, known: Known): Promise<Finding | undefined> {
  const { facts, embedded } = known;
  if (facts === undefined || embedded === undefined || embedded.problem !== undefined) return undefined;
  return facts.gpus.length === 1 ? undefined : compared('ranks', facts.gpus.length || 2, options, known);
}

async function compared(
  name: string,
  devices: number,
  options: DoctorOptions,
  known: Known,
): Promise<Finding> {
  const { facts, embedded, environment } = known;
  const isOnGpu = (facts?.gpus.length ?? 0) > 0;
  const where = isOnGpu
    ? devices === 1
      ? 'one GPU'
      : `${devices} GPUs`
    : devices === 1
      ? 'the CPU'
      : `${devices} ranks on the CPU`;
  options.progress(`training ten steps with PyTorch on ${where}`);
  const trial = await train(options.context, {
    engine: 'accelerate',
    devices,
    python: environment?.python,
    ...(devices > 1 && { sharding: 'ddp' }),
  });
  if (trial.problem !== undefined) return failed(name, `PyTorch on ${where}`, trial);
  const worst = worstOf(embedded?.losses ?? [Number.NaN], trial.losses);
  const detail = `ten steps on ${where} in ${trial.seconds.toFixed(0)} s; losses agree with those of the embedded engine to ${worst.toExponential(0)}`;
  return worst <= TOLERANCE[isOnGpu ? 'gpu' : 'cpu']
    ? { name, state: 'ok', detail }
    : {
        name,
        state: 'failed',
        detail: `ten steps on ${where}: losses differ from those of the embedded engine by ${worst.toExponential(1)}, relative`,
        help: 'do not train with it: install the versions that were tried (`ftpc runtime install accelerate`)',
      };
}

const failed = (name: string, who: string, { problem }: Trial): Finding => ({
  name,
  state: 'failed',
  detail: `${who} does not train: ${problem?.message}`,
  help: problem?.help,
});
