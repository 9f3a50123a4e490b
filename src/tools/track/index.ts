export { deliverPending, PATIENT_LIMIT, spoolOf, trackerText } from './deliver.js';
export { startFollowing } from './live.js';
export { hasPending, keepSpool, type Spool, spools, type Tracking } from './spool.js';
export { undelivered } from './track-diagnostics.js';
