/**
 * Required before the tests: `auto` chooses by what was measured on this machine, and what a plan comes to must not hang on
 * that. Uncompiled, TensorFlow is not a fifth faster than ONNX Runtime on a CPU, so `auto` stays with the latter.
 */
process.env['FTPC_TENSORFLOW'] ??= 'plain';
