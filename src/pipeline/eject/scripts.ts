/** The scripts of an ejected project: each starts the same training, in another place. */
import type { TrainSpec } from '../../compute/accelerate/spec.js';
import { BASE, COMPANIONS, type EjectedBase, type EjectedTraining } from './training.js';

export interface ProjectFacts extends EjectedTraining {
  /** Lower case, digits and hyphens. */
  readonly name: string;
  readonly pipeline: string;
  readonly stage: string;
  readonly nodes: number;
  /** Of each node. */
  readonly devices: number;
  readonly ftpc: string;
}

/** The port where nodes meet, unless they are told another. */
const PORT = 29_400;
/** How long ranks may take to save their state, in seconds. */
const GRACE = 120;

const SHELL = '#!/usr/bin/env bash';

/** `run.sh`: once on each machine. */
export function runScript({ name, nodes, devices, specification, hasCompanions }: ProjectFacts): string {
  const meet =
    nodes === 1
      ? '--standalone'
      : `--nnodes ${nodes} --rdzv-backend c10d --rdzv-endpoint "$RENDEZVOUS" --rdzv-id ${name}`;
  return `${SHELL}
# Trains on this machine's devices, a process for each; run again, it goes on from the newest checkpoint.
${nodes === 1 ? '' : `# Once on each of ${nodes} machines that share this folder: RENDEZVOUS=HOST:${PORT} ./run.sh, with the same HOST of them everywhere.\n`}set -euo pipefail
cd "$(dirname "$0")"
${nodes === 1 ? '' : `: "\${RENDEZVOUS:?set it to HOST:${PORT}, where HOST is one of the machines}"\n`}python="\${PYTHON:-python3}"
export PYTHONPATH="$PWD\${PYTHONPATH:+:$PYTHONPATH}" HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=false
export OMP_NUM_THREADS="\${OMP_NUM_THREADS:-${specification.device === 'cpu' ? 1 : 8}}"

"$python" -m torch.distributed.run ${meet} --nproc-per-node ${devices} \\
  --max-restarts 0 -m ftpc_driver train spec.json &
launcher=$!
# a scheduler that ends the job tells this script alone: the ranks save their state
trap 'kill -TERM "$launcher" 2> /dev/null || true' TERM INT
code=0
wait "$launcher" || code=$?
while kill -0 "$launcher" 2> /dev/null; do
  code=0
  wait "$launcher" || code=$?
done
[ "$code" -eq 0 ] || exit "$code"

${finish(specification, hasCompanions)}`;
}

const TAKE_COMPANIONS = `  cp ${COMPANIONS}/* "trained/$which/"\n`;

/** What PEFT or Transformers read, of what the ranks left. */
const finish = ({ trained }: TrainSpec, hasCompanions: boolean): string =>
  trained === 'adapter'
    ? `for which in best last; do
  mkdir -p "trained/$which"
  find adapter -maxdepth 1 -type f ! -name '*.safetensors' -exec cp {} "trained/$which/" \\;
${hasCompanions ? TAKE_COMPANIONS : ''}  cp "result/$which.safetensors" "trained/$which/adapter_model.safetensors"
done
echo 'trained/best and trained/last are adapters that PEFT reads, and ftpc as peft("FOLDER/trained/best")'
`
    : `for which in best last; do
  mkdir -p "trained/$which"
  find ${BASE} -maxdepth 1 -type f ! -name '*.safetensors' ! -name '*.safetensors.index.json' ! -name '*.gguf' -exec cp {} "trained/$which/" \\;
${hasCompanions ? TAKE_COMPANIONS : ''}  cp "result/$which"/* "trained/$which/"
done
echo 'trained/best and trained/last are models that Transformers reads, and ftpc as local("FOLDER/trained/best")'
`;

/** `base.sh`, where the base comes from the Hub: once, before the training. */
export const baseScript = ({ id, commit }: Extract<EjectedBase, { from: 'hub' }>): string => `${SHELL}
# Fetches the base, ${id} at its commit, into ${BASE}; a private or gated one needs HF_TOKEN.
set -euo pipefail
cd "$(dirname "$0")"
"\${PYTHON:-python3}" - <<'END'
from huggingface_hub import snapshot_download

snapshot_download(
    "${id}",
    revision="${commit}",
    local_dir="${BASE}",
    allow_patterns=["*.json", "*.safetensors", "*.gguf", "*.model", "*.txt", "*.jinja"],
)
END
`;

/** `job.sbatch`, for Slurm. */
export const slurmScript = ({ name, nodes, devices, specification }: ProjectFacts): string => `${SHELL}
#SBATCH --job-name=${name}
#SBATCH --nodes=${nodes}
#SBATCH --ntasks-per-node=1
${specification.device === 'cuda' ? `#SBATCH --gpus-per-node=${devices}` : `#SBATCH --cpus-per-task=${devices}`}
#SBATCH --time=24:00:00
#SBATCH --signal=TERM@${GRACE}
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output=%x-%j.log
# ${GRACE} seconds before its time is up, and when it is preempted, the ranks save their state; submitted again, it goes on.
set -euo pipefail
cd "$SLURM_SUBMIT_DIR"
RENDEZVOUS="$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1):${PORT}"
export RENDEZVOUS
srun ./run.sh
`;

/** `job.yaml`, for Kubernetes. */
export const kubernetesJob = ({
  name,
  nodes,
  devices,
  specification,
}: ProjectFacts): string => `# A pod for each machine. Fill in the image (Python, CUDA, and what requirements.txt lists) and the claim
# of a volume with this folder, which all pods can write.
apiVersion: v1
kind: Service
metadata:
  name: ${name}
spec:
  clusterIP: None
  publishNotReadyAddresses: true
  selector:
    job-name: ${name}
---
apiVersion: batch/v1
kind: Job
metadata:
  name: ${name}
spec:
  completionMode: Indexed
  completions: ${nodes}
  parallelism: ${nodes}
  backoffLimit: 20
  template:
    spec:
      subdomain: ${name}
      restartPolicy: OnFailure
      terminationGracePeriodSeconds: ${GRACE}
      containers:
        - name: train
          image: IMAGE
          workingDir: /project
          command: [./run.sh]
          env:
            - name: RENDEZVOUS
              value: ${name}-0.${name}:${PORT}
          resources:
            limits:
              ${specification.device === 'cuda' ? `nvidia.com/gpu: ${devices}` : `cpu: ${devices}`}
          volumeMounts:
            - name: project
              mountPath: /project
            - name: shared-memory
              mountPath: /dev/shm
      volumes:
        - name: project
          persistentVolumeClaim:
            claimName: CLAIM
        - name: shared-memory
          emptyDir:
            medium: Memory
`;
