// Runs the origin's graph in TensorFlow.js: node detector_origin.mjs MODEL.json BACKEND
// BACKEND: wasm, or cpu (plain JavaScript, slow; what wasm is checked against).
// Standard input: pictures one after another, each float32 of shape (1, 3, 416, 416).
// Standard output: for each picture scores and bins of strides 8, 16, 32 in turn, float32.
// Needs, in the folder that it is started from:
// npm install @tensorflow/tfjs@4.22.0 @tensorflow/tfjs-backend-wasm@4.22.0
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";
const require = createRequire(process.cwd() + "/");
console.log = console.error; // standard output is for numbers
const tf = require("@tensorflow/tfjs");
require("@tensorflow/tfjs-backend-wasm").setThreadsCount(1);

const [file, backend] = process.argv.slice(2);
const model = JSON.parse(fs.readFileSync(file));
const bytes = fs.readFileSync(path.join(path.dirname(file), "nanodet.bin"));
const handler = {
  load: async () => ({
    modelTopology: model.modelTopology,
    format: model.format,
    signature: model.signature,
    weightSpecs: model.weightsManifest.flatMap((g) => g.weights),
    weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
  }),
};

// Fills `values`; false at the end of the input.
function read(values) {
  const room = new Uint8Array(values.buffer);
  let at = 0, got = 1;
  for (; at < room.length && got; at += got) got = fs.readSync(0, room, at, room.length - at);
  return at === room.length;
}

function write(values) {
  const data = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  for (let at = 0; at < data.length;) at += fs.writeSync(1, data, at);
}

if (!(await tf.setBackend(backend))) throw new Error(`no backend ${backend}`);
const graph = await tf.loadGraphModel(handler);
const names = ["Identity", "Identity_3", "Identity_1", "Identity_4", "Identity_2", "Identity_5"];
const picture = new Float32Array(3 * 416 * 416);
while (read(picture)) {
  const input = tf.tensor(picture.slice(), [1, 3, 416, 416]);
  const out = graph.execute(input, names);
  out.forEach((t) => write(t.dataSync()));
  tf.dispose([input, ...out]);
}
