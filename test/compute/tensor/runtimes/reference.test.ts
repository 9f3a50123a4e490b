import { referenceRuntime } from '../../../../src/compute/tensor/runtimes/reference/index.js';
import { conformance } from './conformance.js';

conformance('reference', async () => referenceRuntime());
