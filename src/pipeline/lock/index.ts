export { lockPath } from '../../language/schemas/lock-file.js';
export { means, namesOf } from './make.js';
export { lockedCommits } from './pins.js';
export { placeOf } from './places.js';
export { lockText } from './print.js';
export { checkAgainst, type Resolution, type ResolveOptions, resolveProgram } from './resolve.js';
export { type LockOutcome, lockKeys, lockNow, writeLock } from './write.js';
