/** What Node itself takes differs between its lines; all other figures were measured on Node 20. */

const MIB = 2 ** 20;

/** Stages that compute with tensors, and those that stream rows. */
type Work = 'tensors' | 'data' | 'format';

/**
 * Bytes beyond Node 20, from this major version on, the newest first. Measured on 20.20, 22.23 and 24.21 with two templates of
 * `ftpc init` and eight pipelines of 80 to 9,000 rows: train 161, 171 and 175 MiB, eval 142, 149 and 151, deploy 115, 126 and 127;
 * data stages take 4 to 7 MiB more on Node 22 and 3 to 14 on Node 24, format stages 5 to 8 and 8 to 16: on
 * Node 24, one run of 24 took 12 MiB more than the others.
 */
const NEWER = [
  { major: 24, tensors: 12 * MIB, data: 11 * MIB, format: 10.5 * MIB },
  { major: 22, tensors: 8 * MIB, data: 5.3 * MIB, format: 6.5 * MIB },
] as const;

/** `version`: as in `process.versions.node`; `undefined` for the Node that all was measured with. */
export const nodeBytes = (version: string | undefined, work: Work): number =>
  version === undefined ? 0 : (NEWER.find(({ major }) => Number.parseInt(version, 10) >= major)?.[work] ?? 0);
