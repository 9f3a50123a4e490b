/** The memory of a fine-tuning with PyTorch, from shapes alone. */
export { COUNTED_WITH, uncounted } from './blocks.js';
export type { TensorCounts } from './counted.js';
export { type DecoderFields, decoderShape } from './decoder-shape.js';
export { type DriverRun, driverTraining } from './driver.js';
export { readsOf, torchShape } from './model-shape.js';
export { torchPeak } from './peak.js';
export type { TorchShape } from './shape.js';
export * from './training.js';
export { trainedNumbers } from './weights.js';
