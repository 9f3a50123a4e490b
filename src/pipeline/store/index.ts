export { type ActiveRun, activeRuns } from './active-runs.js';
export { type Claim, type ClaimHolder, dropClaim, type FoundClaim, foundClaims } from './claims.js';
export { type Collected, collect } from './collect.js';
export { sizeOf } from './digest.js';
export {
  replaceFile,
  sweepReplacements,
  syncFile,
  syncFolder,
  writeWhole,
} from './durable.js';
export { enterStore } from './enter.js';
export { findGarbage, type Garbage, isForgotten, type Need, type Output } from './garbage.js';
export {
  type Journal,
  type JournalLine,
  newRunId,
  openJournal,
  readJournal,
  runIdAt,
  runIds,
} from './journal.js';
export { lineReader } from './journal-line.js';
export {
  fromCwd,
  journalPath,
  keyOfOutputs,
  type Layout,
  layoutIn,
  layoutOf,
  reportPath,
  runFolder,
  storesOf,
} from './layout.js';
export { isAbandoned } from './leftovers.js';
export {
  dropLock,
  forgetChild,
  foundLock,
  noteChild,
  outliveOrphan,
  type RunLock,
  takeLock,
} from './lock.js';
export { KEPT_RUNS, keptRuns, noteKept, noteRun, releaseEntries } from './needs.js';
export { outputFolder } from './output-folder.js';
export { outputPath } from './outside-outputs.js';
export { askToStop, forgetStop, isAskedToStop, watchStops } from './stops.js';
export { openStore, type Store, type StoreEntry } from './store.js';
export { writing } from './store-diagnostics.js';
export type { FoundUser } from './users.js';
export { SCRATCH, workFolder } from './work-folder.js';
