/**
 * The phases of a training, each with what is there at its fullest: loading, the head with all that blocks have saved, the
 * backward pass of the last block and of the first, the optimiser's step, the gathering for a checkpoint.
 */
import { savedPerToken, transientPerToken } from './saved.js';
import {
  DTYPE_BYTES,
  type EvaluationMemory,
  NO_TORCH_PARTS,
  type Phase,
  type PhaseBytes,
  TORCH_PARTS,
  type TorchParts,
  type TorchTraining,
} from './training.js';
import { castCopies, castHead, dequantisedBytes, type StaticBytes, staticBytes } from './weights.js';

export function phasesOf(training: TorchTraining): readonly PhaseBytes[] {
  const bytes = staticBytes(training);
  const saved = savedBytes(training);
  const resident: Partial<TorchParts> = {
    weights: bytes.weights,
    adapter: bytes.adapter,
    optimizer: bytes.optimizer,
  };
  const stays = training.accumulation > 1 && !training.optimizer.isInBackward ? bytes.gradients : 0;
  return [
    phase('load', { weights: loadedBytes(training, bytes) }),
    phase('head', { ...resident, ...headParts(training, bytes, saved), gradients: stays }),
    ...backward(training, bytes, saved, resident, stays),
    phase('optimizer_step', {
      ...resident,
      gradients: training.optimizer.isInBackward ? 0 : bytes.gradients,
      workspace: bytes.temporary + (training.sharding.buffers ?? 0),
    }),
    ...(training.evaluation === undefined ? [] : [validationPhase(training, training.evaluation)]),
    ...(training.asked === undefined ? [] : [referencePhase(training.asked)]),
  ];
}

/** The larger of loading the model that is asked and asking it. */
function referencePhase(asked: TorchTraining): PhaseBytes {
  const load = { weights: loadedBytes(asked, staticBytes(asked)) };
  const passes = asked.evaluation && evaluationPhase(asked, asked.evaluation);
  return phase('reference', passes !== undefined && passes.bytes > load.weights ? passes.parts : load);
}

/** The larger of the losses and the answers. */
function validationPhase(training: TorchTraining, evaluation: EvaluationMemory): PhaseBytes {
  const losses = evaluationPhase(training, evaluation);
  const { answers } = evaluation;
  if (answers === undefined) return losses;
  const { rows, prompt, tokens, keysAndValues } = answers;
  const { shape } = training;
  const prompts = evaluationPhase(training, { rows, length: prompt, predicted: rows, perLogit: 12 });
  // the keys and values of a layer grow into a tensor of their own before the old one is let go
  const cache = rows * tokens * keysAndValues * (1 + 1 / Math.max(1, shape.layers));
  const answering = phase('evaluation', {
    ...prompts.parts,
    activations: prompts.parts.activations + cache,
  });
  return answering.bytes > losses.bytes ? answering : losses;
}

/** Of a forward pass without gradients: what one block computes, or the logits. */
function evaluationPhase(training: TorchTraining, evaluation: EvaluationMemory): PhaseBytes {
  const { shape, attention, compute, residual } = training;
  const { rows, length, predicted, perLogit } = evaluation;
  const bytes = staticBytes(training);
  const width = DTYPE_BYTES[compute];
  const tokens = rows * length;
  const scores = attention === 'eager' ? (4 + width) * shape.heads * length : 0;
  const block = width * (3 * shape.inner * shape.activeExperts) + width * 4 * shape.queries;
  const stream = 2 * DTYPE_BYTES[residual] * shape.hidden;
  const ofBlock = Math.max(block, scores + width * 4 * shape.queries) * tokens;
  const ofHead = perLogit * shape.vocabulary * predicted;
  return phase('evaluation', {
    weights: bytes.weights + Math.max(bytes.gatheredBlock, bytes.gatheredAtHead),
    adapter: bytes.adapter,
    optimizer: bytes.optimizer,
    activations: stream * tokens + (ofBlock > ofHead ? ofBlock : 0),
    logits: ofBlock > ofHead ? 0 : ofHead,
    workspace: ofBlock > ofHead ? dequantisedBytes(training).block : dequantisedBytes(training).head,
  });
}

function phase(name: Phase, some: Partial<TorchParts>): PhaseBytes {
  const parts = { ...NO_TORCH_PARTS, ...some };
  return { phase: name, parts, bytes: TORCH_PARTS.reduce((sum, part) => sum + parts[part], 0) };
}

const loadedBytes = ({ sharding: { kind, world, load } }: TorchTraining, bytes: StaticBytes): number =>
  load === undefined || kind !== 'fsdp' ? bytes.weights : bytes.whole * (load.whole + load.shard / world);

interface SavedBytes {
  readonly tokens: number;
  /** Of a block that is recomputed; of one that is not, all that it saves. */
  readonly input: number;
  readonly block: number;
  readonly transient: number;
  readonly recomputed: number;
  readonly saving: number;
}

function savedBytes(training: TorchTraining): SavedBytes {
  const { rows, length, shape, residual, checkpointed, trained } = training;
  const tokens = rows * length;
  const skipped = trained.kind === 'adapter' ? (trained.skippedBlocks ?? 0) : 0;
  const isAway = training.isCheckpointOffloaded === true;
  return {
    tokens,
    input: isAway ? 0 : DTYPE_BYTES[residual] * shape.hidden * tokens,
    block: savedPerToken(training) * tokens + expertBytes(training).saved,
    transient: transientPerToken(training) * tokens,
    recomputed: Math.min(checkpointed, shape.layers),
    saving: Math.max(0, shape.layers - checkpointed - skipped),
  };
}

/** Experts are of the type that they are stored in, and autocast leaves them so. */
function expertBytes({ trained, stored }: TorchTraining): {
  readonly saved: number;
  readonly gradients: number;
} {
  const experts = trained.kind === 'adapter' ? trained.experts : undefined;
  if (experts === undefined) return { saved: 0, gradients: 0 };
  const width = DTYPE_BYTES[stored.other];
  const cast = stored.other === 'float32' ? 0 : width * experts.factors;
  return { saved: width * experts.numbers + cast, gradients: width * experts.gradients };
}

function headParts(training: TorchTraining, bytes: StaticBytes, saved: SavedBytes): Partial<TorchParts> {
  const { head, shape, predicted = saved.tokens } = training;
  const chunk = Math.min(head.chunk ?? predicted, predicted);
  return {
    weights: bytes.weights + bytes.gatheredAtHead + castCopies(training, saved.saving) + castHead(training),
    activations: saved.recomputed * saved.input + saved.saving * saved.block,
    logits:
      Math.max(head.forward, head.backward) * shape.vocabulary * chunk +
      shape.hidden * ((head.states ?? 4) * saved.tokens + (head.inputs ?? 0) * predicted),
    workspace: dequantisedBytes(training).head,
  };
}

/** Inputs and their gradients that stay of blocks that are over; the gradient that comes in is counted with the block. */
const heldInputs = ({ sharding, trained }: TorchTraining, recomputed: number): number =>
  sharding.keepsInputGradients === true && sharding.kind === 'fsdp' && trained.kind === 'adapter'
    ? Math.max(0, 2 * recomputed - 3)
    : 0;

function backward(
  training: TorchTraining,
  bytes: StaticBytes,
  saved: SavedBytes,
  resident: Partial<TorchParts>,
  stays: number,
): readonly PhaseBytes[] {
  const { recomputed, saving } = saved;
  const one =
    recomputed > 0 ? (1 + heldInputs(training, recomputed)) * saved.input + saved.block : saved.block;
  const ofMatrix = training.trained.kind === 'adapter' ? (training.trained.ofMatrix ?? 0) : 0;
  const ofBlock = Math.max(saved.transient, ofMatrix) + expertBytes(training).gradients;
  const workspace = ofBlock + dequantisedBytes(training).block;
  const gathered = bytes.weights + bytes.gatheredBlock;
  const all = training.optimizer.isInBackward ? 0 : bytes.gradients - bytes.lastGradients;
  const { head, shape, predicted = saved.tokens } = training;
  const stay = { ...resident, logits: (head.kept ?? 0) * shape.vocabulary * predicted };
  return [
    phase('last_block', {
      ...stay,
      weights: gathered + castCopies(training, Math.max(1, saving)),
      gradients: Math.max(stays, training.optimizer.isInBackward ? 0 : bytes.headGradients),
      activations: recomputed * saved.input + saving * saved.block + (saving === 0 ? saved.block : 0),
      workspace,
    }),
    phase('first_block', {
      ...stay,
      weights: gathered + castCopies(training, 1),
      gradients: Math.max(stays, all),
      activations: one,
      workspace: workspace + (training.sharding.buffers ?? 0),
    }),
  ];
}
