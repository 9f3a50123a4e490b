import { ENGINES } from './engines.js';
import { ENVIRONMENT } from './environment.js';
import { FILES } from './files.js';
import { HUB } from './hub.js';
import { INSIGHT } from './insight.js';
import { MODELS } from './models.js';
import { RANKS } from './ranks.js';
import { RUNS } from './runs.js';
import { RUNTIMES } from './runtimes.js';
import { SERVING } from './serving.js';
import { TARGETS } from './targets.js';
import type { Situations } from './types.js';
import { WORKER } from './worker.js';

/** What the files of an example cannot make, by code. */
export const SITUATIONS: Situations = {
  ...ENGINES,
  ...ENVIRONMENT,
  ...FILES,
  ...HUB,
  ...INSIGHT,
  ...MODELS,
  ...RANKS,
  ...RUNS,
  ...RUNTIMES,
  ...TARGETS,
  ...SERVING,
  ...WORKER,
};
