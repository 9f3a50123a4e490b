export { type Content, replaceFile, sweepReplacements, syncFile, syncFolder, writeWhole } from './durable.js';
export { type Journal, type JournalLine, newRunId, openJournal, readJournal, runIds } from './journal.js';
export { journalPath, type Layout, layoutIn, reportPath, runFolder } from './layout.js';
export { forgetChild, noteChild, outliveOrphan, type RunLock, takeLock } from './lock.js';
export { outputFolder } from './output-folder.js';
export { outputPath } from './outside.js';
export { writing } from './problems.js';
export { type Entry, type FindOptions, openStore, type Store } from './store.js';
export { workFolder } from './work-folder.js';
