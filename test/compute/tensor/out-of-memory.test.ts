/** What each library says where it finds no memory, as one type of error. */
import { expect } from 'chai';
import { readTextFile } from '../../../src/compute/models/read-file.js';
import { openSafetensors } from '../../../src/compute/models/safetensors/read.js';
import { ModelError } from '../../../src/compute/models/types.js';
import { userProblem } from '../../../src/compute/models/user-problem.js';
import { allocate } from '../../../src/compute/tensor/memory.js';
import {
  allocateOnHost,
  OutOfMemoryError,
  translateHostError,
} from '../../../src/compute/tensor/out-of-memory.js';
import { translateOnnxError } from '../../../src/compute/tensor/runtimes/onnx/out-of-memory.js';
import { translating } from '../../../src/compute/tensor/runtimes/tensorflow/out-of-memory.js';
import { rowRangesOf } from '../../../src/compute/tensor/runtimes/tfjs/row-ranges.js';
import { translateDawnError } from '../../../src/compute/tensor/runtimes/tfjs/webgpu-out-of-memory.js';
import { f32 } from '../../../src/compute/tensor/shape.js';
import { type Host, HostError } from '../../../src/language/host/host.js';
import { memoryHost } from '../models/memory-host.js';

const refusedBy = (use: () => unknown): OutOfMemoryError['refused'] | undefined => {
  try {
    use();
  } catch (error) {
    if (error instanceof OutOfMemoryError) return error.refused;
    throw error;
  }
  return undefined;
};

describe('memory that is refused', () => {
  it('is refused by the host with the bytes that were asked for', () => {
    const most = 2 ** 52;
    expect(refusedBy(() => allocateOnHost(most, (size) => new ArrayBuffer(size)))).to.include({
      memory: 'host',
      bytes: most,
    });
    expect(refusedBy(() => allocate(f32([2 ** 25, 2 ** 25])))).to.include({ bytes: most });
  });

  it('is known by the words of V8 and the codes of Node', () => {
    const coded = (code: string) => Object.assign(new Error('no'), { code });
    for (const error of [
      new RangeError('Array buffer allocation failed'),
      new RangeError('WebAssembly.Memory(): could not allocate memory'),
      new RangeError('Invalid typed array length: 9999999999'),
      coded('ENOMEM'),
      coded('ERR_MEMORY_ALLOCATION_FAILED'),
      new HostError('no_memory', 'rows.jsonl', 'ENOMEM: not enough memory, read'),
    ])
      expect(translateHostError(error), error.message).to.be.instanceOf(OutOfMemoryError);
    for (const error of [new HostError('io', 'out of memory.txt', 'EIO'), new Error('out of memory'), 7])
      expect(translateHostError(error)).to.equal(error);
  });

  it('is known where the error of a file hides it', () => {
    const host: Host = {
      ...memoryHost({ '/file': new Uint8Array(16) }),
      readBytes(path) {
        throw new HostError('no_memory', path, 'ENOMEM: not enough memory, read');
      },
    };
    for (const read of [
      () => openSafetensors(host, '/file'),
      () => readTextFile(host, '/file', { code: 'model_tokenizer', maxBytes: 100 }),
    ]) {
      let found: unknown;
      try {
        read();
      } catch (error) {
        found = error;
      }
      expect(found).to.be.instanceOf(ModelError);
      expect(translateHostError(found)).to.be.instanceOf(OutOfMemoryError);
    }
  });

  it('is known by the words of ONNX Runtime', () => {
    const message = 'Non-zero status code: Failed to allocate memory for requested buffer of size 4096';
    expect(translateOnnxError(new Error(message)))
      .to.be.instanceOf(OutOfMemoryError)
      .with.property('refused')
      .that.includes({ runtime: 'onnx', memory: 'host', bytes: 4096 });
    expect(translateOnnxError(new Error('std::bad_alloc'))).to.be.instanceOf(OutOfMemoryError);
    const other = new Error('Non tensor type');
    expect(translateOnnxError(other)).to.equal(other);
  });

  it('is known by the status of TensorFlow', () => {
    for (const [isUsingGpuDevice, memory] of [
      [() => true, 'device'],
      [() => false, 'host'],
    ] as const) {
      const refused = refusedBy(() =>
        translating({ isUsingGpuDevice }, () => {
          throw new Error('TF_Status: 8\nMessage: OOM when allocating tensor');
        }),
      );
      expect(refused).to.include({ runtime: 'tensorflow', memory });
    }
    expect(() =>
      translating({ isUsingGpuDevice: () => true }, () => {
        throw new Error('TF_Status: 3');
      }),
    ).to.throw('TF_Status: 3');
  });

  it('is known by the class or the words of an error of Dawn', () => {
    class GPUOutOfMemoryError extends Error {}
    const full = translateDawnError(new GPUOutOfMemoryError('buffer of 5 bytes'));
    expect(full).to.be.instanceOf(OutOfMemoryError);
    expect(userProblem(full)?.message).to.equal('the GPU did not compute: out of memory: buffer of 5 bytes');
    const invalid = translateDawnError(new Error('[Invalid ComputePipeline] is invalid'));
    expect(invalid).to.not.be.instanceOf(OutOfMemoryError);
    expect(userProblem(invalid)?.code).to.equal('FTP0933');
  });

  it('is a tensor that a GPU takes in no piece', () => {
    expect(refusedBy(() => rowRangesOf(2, 64, 32))).to.deep.include({ runtime: 'webgpu', bytes: 64 });
  });
});
