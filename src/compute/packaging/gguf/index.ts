export type { GgufFile } from '../../models/gguf/write.js';
export { adapterGguf } from './adapter.js';
export { exactContext } from './llama-limits.js';
export { modelGguf } from './model.js';
export { GGUF_TYPES, type GgufType } from './types.js';
