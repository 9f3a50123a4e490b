/** What a Python with PyTorch finds on this machine, as its driver tells. */
import { execa } from 'execa';
import * as v from 'valibot';
import { type PythonEnvironment, pythonVariables } from '../../../compute/accelerate/environment.js';
import { pythonNeeds } from '../../../compute/accelerate/python-environment.js';
import { childEnvironment } from '../../../language/host/child-environment.js';
import type { Host } from '../../../language/host/host.js';
import { count, type JsonOf, tryJson } from '../../../language/host/json.js';
import { bytes } from '../../../pipeline/planner/quantities.js';
import type { Finding } from './checks.js';

const text = v.nullable(v.string());

const FACTS = v.object({
  torch: v.string(),
  /** The version of CUDA that it was built for. */
  cuda: text,
  gpus: v.array(v.object({ name: v.string(), capability: v.string(), memory: count, free: count })),
  /** Why there are none, where it was built for them. */
  unusable: text,
  nccl: text,
  flash_attn: text,
  deepspeed: text,
  /** What is wrong with it, if anything. */
  bitsandbytes: text,
});
export type PyTorchFacts = JsonOf<typeof FACTS>;

/** Milliseconds: imports from a disk that is busy take minutes. */
const PATIENCE = 300_000;

/** The facts, or why there are none. */
export async function askPyTorch(host: Host, environment: PythonEnvironment): Promise<PyTorchFacts | string> {
  const result = await execa(environment.python, ['-m', 'ftpc_driver', 'doctor'], {
    cwd: host.cwd,
    env: childEnvironment(pythonVariables(host, environment), pythonNeeds),
    extendEnv: false,
    stdin: 'ignore',
    timeout: PATIENCE,
    reject: false,
  });
  const facts = tryJson(FACTS, result.stdout.trim());
  if (facts !== undefined) return facts;
  if (result.timedOut) return `it does not answer within ${PATIENCE / 60_000} minutes`;
  return result.stderr.trim().split('\n').at(-1) || `it ends with ${result.signal ?? result.exitCode}`;
}

/** As a finding of doctor; `hasDriver`: an NVIDIA driver is loaded, so that GPUs should be found. */
export function pytorchFinding(facts: PyTorchFacts, hasDriver: boolean): Finding {
  const { torch, cuda, gpus, nccl, unusable } = facts;
  const detail = [
    [
      torch,
      cuda === null ? 'built for the CPU' : `built for CUDA ${cuda}`,
      nccl === null ? '' : `NCCL ${nccl}`,
    ],
    gpus.map(
      ({ name, capability, memory, free }, index) =>
        `GPU ${index}: ${name} (${capability}), ${bytes(memory)}, of which ${bytes(free)} are free`,
    ),
    [
      facts.flash_attn === null ? 'no flash attention: PyTorch’s own' : `flash attention ${facts.flash_attn}`,
      facts.bitsandbytes === null ? 'bitsandbytes quantises as it should' : '',
      facts.deepspeed === null ? 'no DeepSpeed' : `DeepSpeed ${facts.deepspeed}`,
    ],
  ]
    .map((parts) => parts.filter((part) => part !== '').join(', '))
    .filter((part) => part !== '')
    .join('; ');
  const problem = problemOf(
    facts,
    hasDriver && gpus.length === 0 ? (unusable ?? 'it does not say why') : undefined,
  );
  return { name: 'pytorch', state: problem === undefined ? 'ok' : 'warning', detail, ...problem };
}

/** `blind`: why no GPU is found although a driver is loaded. */
function problemOf({ cuda, bitsandbytes }: PyTorchFacts, blind: string | undefined) {
  if (blind !== undefined && cuda === null)
    return {
      help: 'this PyTorch is built for the CPU: install its build for CUDA, or `ftpc runtime install accelerate`',
    };
  if (blind !== undefined)
    return {
      help: `it finds no GPU (${blind}): check with \`nvidia-smi\` whether the driver is new enough for CUDA ${cuda}`,
    };
  if (bitsandbytes !== null)
    return { help: `QLoRA and 8-bit optimisers do not work: bitsandbytes, ${bitsandbytes}` };
  return undefined;
}
