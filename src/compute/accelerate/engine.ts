import type { ShardingChoice } from '../../language/ir/engines.js';
import type { Attention, PackageVersions, RankDevice, Sharding } from './spec.js';

/** The accelerate engine of a run: which Python computes, on what, and how many of its processes do. */
export interface AccelerateEngine {
  /** Absolute path of the interpreter. */
  readonly python: string;
  /** What its packages must be, as they were when the run was planned. */
  readonly versions: PackageVersions;
  readonly device: RankDevice;
  /** Ranks on this node: one per device. */
  readonly devices: number;
  /** How ranks share the model; `none` for one rank. */
  readonly sharding: Sharding;
  /** What was asked for; default: `auto`, so that another may be taken where memory is short. */
  readonly asked?: ShardingChoice;
  /** Shards wait in the host's memory until they are needed. */
  readonly offload: boolean;
  readonly attention: Attention;
  /** Default: one node. */
  readonly nodes?: NodePlace;
}

/** One of several machines that train together. */
export interface NodePlace {
  readonly count: number;
  /** This one, from 0. */
  readonly node: number;
  /** `HOST:PORT` of node 0. */
  readonly rendezvous: string;
}
