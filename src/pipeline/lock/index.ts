export { lockPath } from '../../language/schemas/lock-file.js';
export { firstPlace, placeOf } from './lock-items.js';
export { lockText } from './lock-text.js';
export { means, namesOf } from './merge-locks.js';
export {
  checkAgainst,
  type LockResolveOptions,
  type PinnedPipeline,
  resolveProgram,
} from './resolve-program.js';
export { type LockOutcome, lockKeys, lockNow, writeLock } from './write-lock.js';
