/** What is tried again, since it may pass: a network, a busy device, a process that somebody ended. */
import { setTimeout as sleep } from 'node:timers/promises';
import { HUB_FILE_DAMAGED } from '../../language/diagnostics/catalogue/hub.js';
import type { EndOfProcess, StageEnd } from './messages.js';
import type { RunContext } from './run-context.js';

/**
 * Faults that may pass, by their code. What is not here does not: data, settings, a full disk and bugs are the same at the
 * next try, and a lack of memory has a ladder of its own.
 */
export const MAY_PASS: Readonly<Record<string, string>> = {
  FTP0811: 'whoever ended the process, or the node it was on, is done with it',
  FTP0814: 'the system has processes and files to give again',
  FTP0815: 'the system, or a file system of the network, answers again',
  FTP0813: 'where others hold the memory of the GPU: they give it back',
  FTP1890: 'whoever ended the rank, or the node it was on, is done with it',
  FTP1891: 'whoever stopped the rank, or the device it waited for, lets it go on',
  FTP1895: 'the devices, or the nodes, reach each other again',
  FTP0933: 'the device is no longer busy with others, or its driver has recovered',
  FTP1405: 'the network, or the Hub, is back',
  [HUB_FILE_DAMAGED]: 'what is damaged in the cache is fetched again',
};

/** A lack of memory that is the stage's own does not pass. */
const WHERE_HELD = 'FTP0813';

/** Whether it makes sense to run a stage that ended so once more. */
export const mayPass = (end: StageEnd): end is Extract<StageEnd, { how: 'failed' }> =>
  end.how === 'failed' && end.starved !== true && Object.hasOwn(MAY_PASS, end.diagnostic.code);

/** What the end of a stage alone does not say. */
interface Circumstances {
  /** Nobody else has taken the stage over. */
  isAllowed?(): boolean;
  /** Others hold the memory of the device. */
  isDeviceHeld?(): Promise<boolean>;
}

/** Seconds before the first further try; each pause is longer than the one before it, up to the longest. */
const FIRST = 2;
const GROWTH = 4;
const LONGEST = 120;

/** `attempt`: from 1. */
export const pauseBefore = (attempt: number): number => Math.min(LONGEST, FIRST * GROWTH ** (attempt - 1));

type RetryContext = Pick<RunContext, 'retries' | 'watcher' | 'interrupts'> & {
  /** `false` if it was interrupted. */
  readonly pause?: (seconds: number, stop: AbortSignal) => Promise<boolean>;
};

/** Runs a stage, and again where what ended it may pass. Each try goes on from the stage's checkpoint. */
export async function retrying(
  stage: string,
  { retries, watcher, interrupts, pause = pauseFor }: RetryContext,
  attempt: () => Promise<EndOfProcess>,
  { isAllowed = () => true, isDeviceHeld = async () => false }: Circumstances = {},
): Promise<EndOfProcess> {
  let peak = 0;
  for (let tries = 1; ; tries++) {
    const { end, peakMemoryBytes } = await attempt();
    peak = Math.max(peak, peakMemoryBytes);
    if (tries > retries || !mayPass(end) || !isAllowed()) return { end, peakMemoryBytes: peak };
    if (end.diagnostic.code === WHERE_HELD && !(await isDeviceHeld())) return { end, peakMemoryBytes: peak };
    const pauseSeconds = pauseBefore(tries);
    const { code, message } = end.diagnostic;
    watcher.event({ type: 'retry', stage, code, cause: message, attempt: tries, retries, pauseSeconds });
    if (!(await pause(pauseSeconds, interrupts.stop)))
      return { end: { how: 'interrupted', saved: true }, peakMemoryBytes: peak };
  }
}

async function pauseFor(seconds: number, stop: AbortSignal): Promise<boolean> {
  try {
    await sleep(seconds * 1000, undefined, { signal: stop });
    return true;
  } catch (error) {
    if (stop.aborted) return false;
    throw error;
  }
}
