/** The memory of a fine-tuning with PyTorch, from shapes alone. */
export { BLOCKS, type BlockName, blockTraits, isBlockName } from './blocks.js';
export { type DecoderFields, decoderShape } from './decoder-shape.js';
export { type DriverRun, driverTraining } from './driver.js';
export { readsOf, torchShape } from './model-shape.js';
export { torchPeak } from './peak.js';
export { phasesOf } from './phases.js';
export { type TrainingRun, trainingOf } from './runs.js';
export { savedPerToken, transientPerToken } from './saved.js';
export type { BlockTraits, TorchLinear, TorchShape } from './shape.js';
export { TRAINERS, type TrainerName } from './trainers.js';
export * from './training.js';
export { staticBytes, trainedNumbers } from './weights.js';
