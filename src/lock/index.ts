export { checkLock } from './check.js';
export { means, namesOf } from './make.js';
export { openLock } from './open.js';
export { lockedCommits } from './pins.js';
export { placeOf } from './places.js';
export { lockText } from './print.js';
export { checkAgainst, type Resolution, type ResolveOptions, resolveProgram } from './resolve.js';
export { type Lock, type LockedEntry, lockPath } from './types.js';
export { type LockOutcome, type LockRequest, lockKeys, lockNow, writeLock } from './write.js';
