import { onnxRuntime } from '../../../src/tensor/runtimes/onnx/index.js';
import { conformance } from './conformance.js';

conformance('onnx', () => onnxRuntime({ threads: 1 }));
conformance('onnx, all intermediates in shared memory', () => onnxRuntime({ threads: 2, scratch: 0 }));
