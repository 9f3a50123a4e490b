/** What Node itself takes differs between its lines; all other figures were measured on Node 20. */

const MIB = 2 ** 20;

/** Stages that compute with tensors, and those that stream rows. */
type Work = 'tensors' | 'data' | 'format';

/**
 * Bytes beyond Node 20, from this major version on, the newest first. Measured on 20.20, 22.23 and 24.21 with two templates of
 * `ftpc init` and eight pipelines of 1,500 to 9,000 rows: train 161, 171 and 175 MiB, eval 142, 149 and 151, deploy 115, 126 and 127;
 * data stages take 5 to 9 MiB more on Node 22 and 9 to 20 on Node 24, format stages 3 to 6 and 7 to 36: on
 * Node 24, half of their runs take 25 MiB more than the others from the time on that the tokenizer is opened, whatever the rows.
 */
const NEWER = [
  { major: 24, tensors: 12 * MIB, data: 13 * MIB, format: 22 * MIB },
  { major: 22, tensors: 8 * MIB, data: 6.6 * MIB, format: 4.3 * MIB },
] as const;

/** `version`: as in `process.versions.node`; `undefined` for the Node that all was measured with. */
export const nodeBytes = (version: string | undefined, work: Work): number =>
  version === undefined ? 0 : (NEWER.find(({ major }) => Number.parseInt(version, 10) >= major)?.[work] ?? 0);
