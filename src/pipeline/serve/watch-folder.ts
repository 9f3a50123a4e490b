/** Tells that a folder of releases may have changed. */
import { watch } from 'node:fs';

export interface FolderWatch {
  close(): void;
}

/** Milliseconds: file systems of other machines report nothing, and are looked at. */
const POLL = 2000;
/** Milliseconds: one change is several events. */
const PAUSE = 30;

/** `changed` is called after a change, and at times without one; never after `close`. */
export function watchFolder(folder: string, changed: () => void): FolderWatch {
  let pause: NodeJS.Timeout | undefined;
  const poll = setInterval(changed, POLL).unref();
  const soon = (): void => {
    pause ??= setTimeout(() => {
      pause = undefined;
      changed();
    }, PAUSE).unref();
  };
  let watcher: ReturnType<typeof watch> | undefined;
  try {
    watcher = watch(folder, { persistent: false }, soon).on('error', () => watcher?.close());
  } catch {
    // No watches are left, or the file system has none: polling finds it.
  }
  return {
    close: () => {
      clearInterval(poll);
      clearTimeout(pause);
      watcher?.close();
    },
  };
}
