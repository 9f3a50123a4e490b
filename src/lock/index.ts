export { checkLock } from './check.js';
export { means, namesOf } from './make.js';
export { placeOf } from './places.js';
export { lockText } from './print.js';
export { checkAgainst, openLock, type Resolution, type ResolveOptions, resolveProgram } from './resolve.js';
export { type Lock, type LockedEntry, lockPath } from './types.js';
export { type LockOutcome, type LockRequest, lockKeys, writeLock } from './write.js';
