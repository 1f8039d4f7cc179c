import assert from "node:assert/strict";
import { createWriter } from "./export_writers.ts";

Deno.test("createWriter() cuts the names of levels behind the types that are named", () => {
  const decoder = new TextDecoder();
  const written = (types?: readonly string[]) => {
    let text = "";
    const writer = createWriter(
      "line",
      "c",
      (bytes) => text += decoder.decode(bytes),
      types,
    );
    const series = { frequencySec: 60, timesSec: [60], values: [1] };
    writer.add({
      host: "h",
      series: [
        { ...series, metric: "m", levels: ["fshome"] },
        { ...series, metric: "m", levels: ["socket0", "device1"] },
      ],
    });
    writer.finish();
    return text.split("\n");
  };
  const head = "m,cluster=c,hostname=h";
  assert.deepEqual(written(), [
    `${head},type=fshome value=1 60`,
    `${head},type=socket,type-id=0,stype=device1 value=1 60`,
    "",
  ]);
  assert.deepEqual(written(["fs", "device"]), [
    `${head},type=fs,type-id=home value=1 60`,
    `${head},type=socket,type-id=0,stype=device,stype-id=1 value=1 60`,
    "",
  ]);
});
