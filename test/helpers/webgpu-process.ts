/** Loaded first in the process that tests WebGPU: see `tensor/runtimes/here.ts`. */
process.env['FTPC_TEST_WEBGPU'] = '1';
