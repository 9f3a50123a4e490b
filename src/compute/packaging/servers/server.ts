/** One server of models, as a release describes it. */
import type { ServerFacts } from './facts.js';

/** A service of a compose file. */
interface ComposeService {
  readonly image: string;
  readonly entrypoint?: readonly string[];
  readonly command: readonly string[];
  /** Folder in the container that it keeps. */
  readonly state?: string;
  readonly gpu: boolean;
  /** Inside the container. */
  readonly port: number;
}

export interface ServerFiles {
  /** Words of the command that starts it in the release's folder; `undefined` where it can't serve this release. */
  readonly command?: readonly string[];
  /** Variables of the command, with their defaults. */
  readonly variables?: Readonly<Record<string, string>>;
  readonly service?: ComposeService;
  /** Sentences: what to know, and what it can't. */
  readonly notes: readonly string[];
  /** Other files that it reads, by name. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface Server {
  readonly id: string;
  readonly title: string;
  readonly port: number;
  /** What clients call the model; default: the release's name. */
  describe(facts: ServerFacts): ServerFiles;
}

/** Where a release and its base are in a container. */
export const MOUNT = { release: '/release', base: '/base' } as const;

/** The base as a server finds it: by its name on the Hub, or by its folder. */
export const baseIn = ({ base }: ServerFacts, folder: string): string => base.hub?.id ?? folder;

/** How a pipeline would make what a server can read. */
export const MERGE_FIRST =
  'Merge it: `merge fused { base = …, adapter = …, dtype = bf16 }`, and deploy `fused`.';
