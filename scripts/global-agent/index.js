// onnxruntime-node has an install script that fetches CUDA libraries, through a proxy that it asks `global-agent` for.
// ftpc uses none of them. npm 11 leaves the script out (`allowScripts`); npm 10 runs it, and here it is told to do nothing.
process.env.ONNXRUNTIME_NODE_INSTALL ??= 'skip';

exports.bootstrap = () => true;
