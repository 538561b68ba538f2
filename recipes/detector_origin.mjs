// Runs the origin's graph in TensorFlow.js: node detector_origin.mjs MODEL.json INPUT.f32 OUTPUT.f32
// INPUT: float32 of shape (1, 3, 416, 416). OUTPUT: scores and bins of strides 8, 16, 32 in turn.
// Needs: npm install @tensorflow/tfjs@4.22.0 (in the folder that it is started from).
import { createRequire } from "node:module";
import fs from "node:fs";
import path from "node:path";
const tf = createRequire(process.cwd() + "/")("@tensorflow/tfjs");

const [file, input, output] = process.argv.slice(2);
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
await tf.setBackend("cpu");
const graph = await tf.loadGraphModel(handler);
const raw = fs.readFileSync(input);
const values = new Float32Array(raw.buffer.slice(raw.byteOffset, raw.byteOffset + raw.length));
const names = ["Identity", "Identity_3", "Identity_1", "Identity_4", "Identity_2", "Identity_5"];
const out = await graph.executeAsync(tf.tensor(values, [1, 3, 416, 416]), names);
const parts = out.map((t) => { console.log(t.shape.join("x")); return Buffer.from(t.dataSync().buffer); });
fs.writeFileSync(output, Buffer.concat(parts));
