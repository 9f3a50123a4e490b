export { lockPath } from '../../language/schemas/lock-file.js';
export { lockText } from './lock-text.js';
export { means, namesOf } from './merge-locks.js';
export {
  checkAgainst,
  type LockResolveOptions,
  type PinnedPipeline,
  resolveProgram,
} from './resolve-program.js';
export { placeOf } from './setting-spans.js';
export { type LockOutcome, lockKeys, lockNow, writeLock } from './write-lock.js';
