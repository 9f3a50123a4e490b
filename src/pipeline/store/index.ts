export { replaceFile, sweepReplacements, syncFile, syncFolder, writeWhole } from './durable.js';
export { type Journal, newRunId, openJournal, readJournal, runIds } from './journal.js';
export { journalPath, keyOfOutputs, layoutIn, reportPath, runFolder } from './layout.js';
export { forgetChild, noteChild, outliveOrphan, type RunLock, takeLock } from './lock.js';
export { outputFolder } from './output-folder.js';
export { outputPath } from './outside.js';
export { writing } from './problems.js';
export { type Entry, openStore, type Store } from './store.js';
export { workFolder } from './work-folder.js';
