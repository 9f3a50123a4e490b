/** What Node itself takes differs between its lines; all other figures were measured on Node 20. */

const MIB = 2 ** 20;

/** Stages that compute with tensors, and those that stream rows, which had more room for short-lived objects when this was measured. */
type Work = 'tensors' | 'rows';

/**
 * Bytes beyond Node 20, from this major version on, the newest first. Measured with the pipeline of `ftpc init`, on 20.20, 22.23 and
 * 24.22: train 168, 178 and 182 MiB, eval 144, 151 and 155, deploy 120, 128 and 133; data 69, 74 and 90, format 85, 92 and 98.
 */
const NEWER = [
  { major: 24, tensors: 12 * MIB, rows: 16 * MIB },
  { major: 22, tensors: 8 * MIB, rows: 8 * MIB },
] as const;

/** `version`: as in `process.versions.node`. */
export const nodeBytes = (version: string, work: Work): number =>
  NEWER.find(({ major }) => Number.parseInt(version, 10) >= major)?.[work] ?? 0;
