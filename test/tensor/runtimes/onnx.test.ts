import { onnxRuntime } from '../../../src/tensor/runtimes/onnx/index.js';
import { conformance } from './conformance.js';

conformance('onnx', () => onnxRuntime({ threads: 1 }));
